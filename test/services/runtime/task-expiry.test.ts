import { expect, test } from 'vitest'
import { taskEvent } from '../../../events/system/tasks.js'
import { expireTasks } from '../../../services/runtime/task-expiry.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'

const HOUR_MS = 3_600_000

async function start() {
  const broker = new MemoryBroker()
  const clock = new FakeClock()
  const bus = broker.connect()
  const say = (id: string, status: 'running' | 'succeeded' | 'failed', unit = 'u1', ageH = 0) => {
    const timestamp = new Date(clock.now().getTime() - ageH * HOUR_MS).toISOString()
    const text = taskEvent.encode({ task_id: id, name: 'weigh', status, timestamp })
    return bus.publish(taskEvent.topic({ unit, task_id: id }), text, { retain: true })
  }
  const kept = (): string[] => [...broker.retained.keys()].map((topic) => topic.split('/').at(-1) ?? '').sort()
  const begin = () => expireTasks({ unit: 'u1', bus, clock, logger: silentLogger })
  return { broker, clock, bus, say, kept, begin }
}

test('results are cleared a day after their task ended, also those of earlier lives; what is not over, and what is of another unit, stays', async () => {
  const { clock, say, kept, begin } = await start()
  await say('old', 'succeeded', 'u1', 25)
  await say('young', 'failed', 'u1', 2)
  await say('long', 'running', 'u1', 100)
  await say('foreign', 'succeeded', 'u2', 100)
  const end = await begin()
  await say('new', 'succeeded')
  await clock.advance(1)
  expect(kept()).toEqual(['foreign', 'long', 'new', 'young'])
  await clock.advance(23 * HOUR_MS)
  expect(kept()).toEqual(['foreign', 'long', 'new'])
  await clock.advance(2 * HOUR_MS)
  expect(kept()).toEqual(['foreign', 'long'])
  await end()
})

test('of more than a thousand results the oldest are cleared earlier', async () => {
  const { broker, say, begin } = await start()
  for (let n = 0; n < 600; n++) await say(`past${n}`, 'succeeded', 'u1', 20 - n / 100)
  const end = await begin()
  for (let n = 0; n < 600; n++) await say(`new${n}`, 'succeeded')
  const kept = [...broker.retained.keys()]
  expect(kept).toHaveLength(1000)
  expect(kept).not.toContain('system/u1/tasks/past199')
  expect(kept).toContain('system/u1/tasks/past200')
  await end()
})

test('what cannot be read as a task is cleared', async () => {
  const { broker, bus, clock, kept, begin } = await start()
  await bus.publish('system/u1/tasks/odd', '{"status":7}', { retain: true })
  const end = await begin()
  await clock.advance(1)
  expect(kept()).toEqual([])
  expect(broker.payloads('system/u1/tasks/odd').at(-1)).toBe('')
  await end()
})

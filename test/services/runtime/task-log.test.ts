import { Type } from '@sinclair/typebox'
import { beforeEach, describe, expect, test } from 'vitest'
import { defineTask, type TaskDeclaration } from '../../../events/core/define-task.js'
import { InvalidInput } from '../../../events/core/errors.js'
import type { ServiceContext } from '../../../services/runtime/service.js'
import { createTaskLog, type TaskLog } from '../../../services/runtime/task-log.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { until } from '../../support/until.js'

let broker: MemoryBroker
let clock: FakeClock
let log: TaskLog

beforeEach(() => {
  broker = new MemoryBroker()
  clock = new FakeClock()
  const context = { unit: 'u1', bus: broker.connect(), clock, logger: recordingLogger() }
  log = createTaskLog(context as unknown as ServiceContext)
})

const weigh = (more: Pick<Partial<TaskDeclaration>, 'name' | 'lock' | 'whenLocked' | 'rate'>) =>
  defineTask({
    name: 'weigh',
    payload: Type.Object({ slot: Type.String() }),
    result: Type.Number(),
    doc: 'Weighs.',
    ...more,
  })

/** Every record of a task, in short. */
const records = (id: string) =>
  broker.payloads(`system/u1/tasks/${id}`).map((text) => JSON.parse(text) as Record<string, unknown>)
const statuses = (id: string) => records(id).map(({ status }) => status)
const last = (id: string) => records(id).at(-1)

/** Work that ends when the test says so; tells which has begun. */
function workbench(task = weigh({})) {
  const begun: string[] = []
  const ends = new Map<string, (value: unknown) => void>()
  const answer = log.answer(task, ({ slot }: { slot: string }) => async () => {
    begun.push(slot)
    return new Promise<number>((resolve) => ends.set(slot, resolve as (value: unknown) => void))
  })
  return {
    begun,
    order: (id: string) => answer.carryOut(JSON.stringify({ slot: id }), id),
    end: (id: string, value: unknown = 1) => ends.get(id)?.(value),
  }
}

describe('a task', () => {
  test('is running when its order is answered, and succeeds with what the work gives', async () => {
    const { order, end } = workbench()
    expect(await order('a')).toEqual({ task_id: 'a' })
    expect(statuses('a')).toEqual(['running'])
    end('a', 12.5)
    await until(() => statuses('a').length === 2, 'the end')
    expect(last('a')).toMatchObject({ status: 'succeeded', result: 12.5, name: 'weigh' })
  })

  test('fails with the error of its work, in its words', async () => {
    const answer = log.answer(weigh({}), () => async () => {
      throw new InvalidInput('slot is x; it must be left or right.')
    })
    await answer.carryOut('{"slot":"x"}', 'a')
    await until(() => statuses('a').length === 2, 'the end')
    expect(last('a')).toMatchObject({ status: 'failed', error: { message: 'slot is x; it must be left or right.' } })
  })

  test('whose work gives something else than declared is a defect, not a success', async () => {
    const { order, end } = workbench()
    await order('a')
    end('a', 'heavy')
    await until(() => statuses('a').length === 2, 'the end')
    expect(last('a')).toMatchObject({ status: 'failed', error: { code: 'internal.error' } })
  })

  test('is not recorded when its order is refused', async () => {
    const answer = log.answer(weigh({}), ({ slot }) => {
      throw new InvalidInput(`There is no slot ${String(slot)}.`)
    })
    await expect(answer.carryOut('{"slot":"x"}', 'a')).rejects.toThrow('There is no slot x.')
    await expect(answer.carryOut('{"slot":7}', 'b')).rejects.toThrow('slot')
    expect([...records('a'), ...records('b')]).toEqual([])
  })

  test('is not begun when it cannot be recorded, and holds no lock then', async () => {
    const { order, begun } = workbench(weigh({ lock: 'scale-lock' }))
    broker.setConnected(false)
    await expect(order('a')).rejects.toThrow()
    broker.setConnected(true)
    await order('b')
    expect(begun).toEqual(['b'])
  })

  test('that is under way when its service ends is failed, and what it gives later changes nothing', async () => {
    const { order, end } = workbench(weigh({ lock: 'scale-lock', whenLocked: 'wait' }))
    await order('a')
    await order('b')
    await log.stop()
    for (const id of ['a', 'b'])
      expect(last(id)).toMatchObject({ status: 'failed', error: { code: 'task.interrupted' } })
    end('a')
    await new Promise((resolve) => setImmediate(resolve))
    expect([statuses('a'), statuses('b')]).toEqual([
      ['running', 'failed'],
      ['pending', 'failed'],
    ])
  })
})

describe('a lock', () => {
  test('refuses a second task until the first is over', async () => {
    const { order, end, begun } = workbench(weigh({ lock: 'scale-lock' }))
    await order('a')
    await order('b')
    expect(statuses('b')).toEqual(['failed'])
    expect(last('b')).toMatchObject({ lock: 'scale-lock', error: { code: 'task.locked' } })
    end('a')
    await until(() => statuses('a').length === 2, 'the end')
    await order('c')
    expect(begun).toEqual(['a', 'c'])
  })

  test('lets tasks wait for their turn, in the order of asking', async () => {
    const { order, end, begun } = workbench(weigh({ lock: 'scale-lock', whenLocked: 'wait' }))
    for (const id of ['a', 'b', 'c']) await order(id)
    expect(last('b')).toMatchObject({ status: 'pending', waits_for_lock: true })
    for (const id of ['a', 'b', 'c']) {
      await until(() => begun.at(-1) === id, 'its turn')
      end(id)
    }
    await until(() => statuses('c').length === 3, 'the end')
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(statuses('c')).toEqual(['pending', 'running', 'succeeded'])
    expect(last('c')).not.toHaveProperty('waits_for_lock')
  })

  test('keeps no more than twenty waiting', async () => {
    const { order } = workbench(weigh({ lock: 'scale-lock', whenLocked: 'wait' }))
    for (let n = 0; n <= 21; n++) await order(`t${n}`)
    expect([last('t20')?.['status'], last('t21')?.['status']]).toEqual(['pending', 'failed'])
  })

  test('of one name is shared by tasks of several kinds; another name is another lock', async () => {
    const first = workbench(weigh({ lock: 'scale-lock' }))
    const second = workbench(weigh({ name: 'tare', lock: 'scale-lock' }))
    const third = workbench(weigh({ name: 'blink', lock: 'lamp-lock' }))
    await first.order('a')
    await second.order('b')
    await third.order('c')
    expect([statuses('a'), statuses('b'), statuses('c')]).toEqual([['running'], ['failed'], ['running']])
  })
})

test('a rate limit lets one task begin in each fixed window, whatever became of it', async () => {
  const rate = { bucket: 'power-actions', windowS: 15 }
  const { order, begun } = workbench(weigh({ rate, lock: 'power-lock', whenLocked: 'wait' }))
  const intoWindow = clock.now().getTime() % 15_000
  await clock.advance(15_000 - intoWindow)
  await order('a')
  await clock.advance(14_999)
  await order('b')
  expect(last('b')).toMatchObject({
    status: 'failed',
    error: { message: 'RateLimitExceeded(power-actions: 1 per 15 s)', code: 'task.too_frequent' },
  })
  await clock.advance(1)
  await order('c')
  expect(statuses('c')).toEqual(['pending'])
  expect(begun).toEqual(['a'])
})

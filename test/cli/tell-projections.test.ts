import { afterEach, expect, test } from 'vitest'
import { tellProjections } from '../../cli/tell-projections.js'
import { FakeClock } from '../support/fake-clock.js'
import { MemoryBroker } from '../support/memory-bus.js'
import { silentLogger } from '../support/silent-logger.js'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function start() {
  const clock = new FakeClock()
  const broker = new MemoryBroker()
  const log = { last: 100, folded: 100, parked: 0, degradations: [] as string[] }
  // What is told is recorded, and folded, as everything else.
  const deliver = broker.deliver.bind(broker)
  broker.deliver = (...message) => {
    log.last++
    log.folded++
    deliver(...message)
  }
  const end = tellProjections({
    ...{ unit: 'u1', bus: broker.connect(), clock, timer: clock, logger: silentLogger },
    lastPosition: () => log.last,
    position: async () => log.folded,
    parkedEvents: async () => log.parked,
    degradations: () => log.degradations,
  })
  ends.push(end)
  await clock.advance(0)
  const told = () =>
    broker.payloads('system/u1/projections').map((text) => {
      const { timestamp: _, ...record } = JSON.parse(text) as Record<string, unknown>
      return record
    })
  return { clock, broker, log, end, told }
}
const CURRENT = { state: 'current', events_behind: 0, parked_events: 0, reason: null }

test('read models that follow are told once, however much is recorded', async () => {
  const { clock, log, told, broker } = await start()
  for (let looks = 0; looks < 6; looks++) {
    await clock.advance(10_000)
    log.last += 500
    await clock.advance(0)
    log.folded += 500
  }
  expect(told()).toEqual([CURRENT])
  expect(broker.retained.has('system/u1/projections')).toBe(true)
})

test('events that are not folded within ten seconds are told, then that they are', async () => {
  const { clock, log, told } = await start()
  log.last += 40
  await clock.advance(20_000)
  expect(told().at(-1)).toEqual({ ...CURRENT, state: 'behind', events_behind: 40 })
  log.folded = log.last
  await clock.advance(10_000)
  expect(told().at(-1)).toEqual(CURRENT)
})

test('events that could not be folded are counted, and a failure has its reason', async () => {
  const { clock, log, told } = await start()
  log.parked = 3
  await clock.advance(10_000)
  log.degradations = ['The projector thread cannot go on: disk full']
  await clock.advance(10_000)
  expect(told().slice(1)).toEqual([
    { ...CURRENT, parked_events: 3 },
    { ...CURRENT, state: 'failed', parked_events: 3, reason: 'The projector thread cannot go on: disk full' },
  ])
})

test('without the broker it goes on looking, and tells when it is back; ended, it tells nothing', async () => {
  const { clock, broker, log, end, told } = await start()
  broker.setConnected(false)
  log.parked = 1
  await clock.advance(30_000)
  expect(told()).toEqual([CURRENT])
  broker.setConnected(true)
  await clock.advance(10_000)
  expect(told()).toHaveLength(2)
  end()
  log.parked = 2
  await clock.advance(30_000)
  expect(told()).toHaveLength(2)
})

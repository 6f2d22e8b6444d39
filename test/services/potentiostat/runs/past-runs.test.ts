import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PastRuns } from '../../../../events/potentiostat/past-runs.js'
import { type RunOrder, runOrderEvent } from '../../../../events/potentiostat/run-order.js'
import { eventually } from '../../../support/eventually.js'
import { type Box, PluggedPorts, startBox } from '../box.js'
import { type Device, startDevice } from '../virtual-devices.js'

let first: Device
let ports: PluggedPorts
let box: Box

beforeEach(async () => {
  first = await startDevice({ serial: 'AAAAAAAAAAAA' })
  ports = new PluggedPorts()
  ports.plugged = [{ path: first.path, serialNumber: first.serial }]
  box = await startBox(ports)
})
afterEach(async () => {
  await box.service.stop()
  await first.dispose()
})

const CA = { modes: ['CA'], params_by_mode: { CA: { potential: 0.3, duration: 0.2 } } }
const code = async (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'accepted',
    (error: { readonly code?: unknown }) => error.code,
  )

const listed = (): readonly string[] =>
  [...box.broker.retained]
    .filter(([topic]) => topic.startsWith('potentiostat/A/$past_runs/'))
    .flatMap(([, payload]) => (JSON.parse(payload.toString()) as PastRuns).run_ids)
const ordersRetained = (): number =>
  [...box.broker.retained.keys()].filter((topic) => runOrderEvent.levels(topic) !== null).length
/** Orders of runs that are over, as an earlier life of the box has left them. */
const givenRuns = async (from: number, to: number): Promise<void> => {
  if (from === 1) await box.start({ ...CA, devices: ['slot01'], run_id: 'old-1' })
  const text = box.broker.payloads('potentiostat/A/old-1/order')[0] ?? ''
  const state = JSON.stringify(await box.ended('old-1', 'slot01'))
  for (let number = from; number <= to; number++) {
    const timestamp = new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString().replace('.000', '')
    const order = { ...(JSON.parse(text) as RunOrder), run_id: `old-${number}`, timestamp }
    box.broker.deliver(`potentiostat/A/old-${number}/order`, Buffer.from(JSON.stringify(order)), true)
    box.broker.deliver(`potentiostat/A/old-${number}/slot01/state`, Buffer.from(state), true)
  }
}
const restart = async (): Promise<void> => {
  await box.service.stop()
  box = await startBox(ports, box.broker)
}

test('ids of past runs are known after restarts, though the topics of all but the newest 100 are cleared', async () => {
  await givenRuns(1, 150)
  await restart()
  await eventually(() => expect(ordersRetained()).toBe(100))
  expect(listed()).toHaveLength(50)
  await restart()
  for (const run_id of ['old-1', 'old-50', 'old-51', 'old-150']) {
    expect(await code(box.start({ ...CA, run_id }))).toBe('jobs.run_id_conflict')
  }
  expect(await code(box.cancel('old-1'))).toBe('accepted')
  expect(await code(box.start({ ...CA, run_id: 'old-151' }))).toBe('accepted')
  await box.ended('old-151', 'slot01')
  await eventually(() => expect(listed()).toHaveLength(51))
  expect(ordersRetained()).toBe(100)
})

test('ids of past runs fill one list after the other, each once, though the process dies before the topics are cleared', async () => {
  await givenRuns(1, 650)
  const cleared = (topic: string, payload: Buffer): boolean => payload.length === 0 && topic.endsWith('/order')
  const { deliver } = box.broker
  box.broker.deliver = (topic, payload, ...how) => {
    if (!cleared(topic, payload)) deliver.call(box.broker, topic, payload, ...how)
  }
  await restart()
  await eventually(() => expect(listed()).toHaveLength(550))
  expect(ordersRetained()).toBe(650)
  box.broker.deliver = deliver
  await restart()
  await eventually(() => expect(ordersRetained()).toBe(100))
  expect(new Set(listed()).size).toBe(listed().length)
  expect(listed()).toHaveLength(550)
  expect(box.broker.retained.has('potentiostat/A/$past_runs/2')).toBe(true)
})

test('ids are in no list before the broker has it; topics stay until then', async () => {
  await givenRuns(1, 105)
  const { deliver } = box.broker
  box.broker.deliver = (topic, ...rest) => {
    if (topic.includes('$past_runs')) throw new Error('the disk is full')
    deliver.call(box.broker, topic, ...rest)
  }
  await restart()
  await box.start({ ...CA, devices: ['slot01'], run_id: 'meanwhile' })
  await box.ended('meanwhile', 'slot01')
  expect(ordersRetained()).toBe(106)
  box.broker.deliver = deliver
  await box.start({ ...CA, devices: ['slot01'], run_id: 'afterwards' })
  await box.ended('afterwards', 'slot01')
  await eventually(() => expect(listed()).toHaveLength(7))
})

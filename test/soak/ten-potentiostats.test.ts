import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SampleBlock } from '../../events/potentiostat/samples.js'
import { memoryOf } from '../support/process-memory.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

const DEVICES = 10
const SECONDS = 600
/** Rows of a table measurement of so many seconds: one per 360 µs, the last period is not begun. */
const ROWS = Math.trunc(SECONDS / 360e-6)
/** Start-up and the first garbage collections are over by then, s. */
const SETTLED_S = 120
const MEMORY_EVERY_MS = 10_000
const MAX_GROWTH_MIB = 50

interface Run {
  readonly run_id: string
  readonly status: string
  readonly slots: readonly { readonly slot: string; readonly status: string; readonly message: string | null }[]
}

const home = createLabHome()
let lab: Lab
let run: Run
/** Rows a subscriber got, by slot; undefined once a block did not follow the one before. */
const received = new Map<string, number | undefined>()
/** MiB by process, one figure per `MEMORY_EVERY_MS`. */
const memory = new Map<string, number[]>()

/** All slots at full rate, with CSV, events, a plot and a subscriber. */
beforeAll(
  async () => {
    lab = await home.start({ SIMULATED_POTENTIOSTATS: String(DEVICES), LOG_LEVEL: 'warn' })
    await until(
      async () =>
        (await lab.get<{ connected: boolean }[]>('/devices')).filter((slot) => slot.connected).length === DEVICES,
      'all slots',
      60_000,
    )
    await countRows(await lab.connect())
    const { status, body } = await lab.send<Run>('POST', '/jobs', {
      devices: 'all',
      modes: ['CA'],
      params_by_mode: { CA: { potential: 0.3, duration: SECONDS } },
      tia_gain: 1,
      experiment_name: 'endurance',
      client_datetime: '2026-01-01T00-00-00',
      make_plot: true,
    })
    expect(status).toBe(200)
    run = body
    while (run.status === 'queued' || run.status === 'running') {
      for (const { name, mebibytes } of await memoryOf(Number(lab.main.pid), lab.home)) {
        memory.set(name, [...(memory.get(name) ?? []), mebibytes])
      }
      await delay(MEMORY_EVERY_MS)
      run = await lab.get<Run>(`/jobs/${run.run_id}`)
    }
  },
  (SECONDS + 300) * 1000,
)
afterAll(() => home.remove())

async function countRows(client: MqttClient): Promise<void> {
  client.on('message', (topic, payload) => {
    const slot = topic.split('/').at(-2) ?? ''
    const { first, current } = JSON.parse(payload.toString()) as SampleBlock
    const expected = received.get(slot) ?? 0
    received.set(slot, first === expected ? expected + current.length : undefined)
  })
  await client.subscribeAsync('potentiostat/+/+/+/samples', { qos: 1 })
}

it('loses no sample on any device', async () => {
  expect(run.slots.map(({ slot, status, message }) => [slot, status, message])).toEqual(
    Array.from({ length: DEVICES }, (_, index) => [`slot${String(index + 1).padStart(2, '0')}`, 'done', null]),
  )
  expect(run.status).toBe('done')
})

it('shows a subscriber every row, in order', () => {
  expect([...received.values()]).toEqual(new Array(DEVICES).fill(ROWS))
})

it('keeps its memory flat', () => {
  const settled = Math.trunc((SETTLED_S * 1000) / MEMORY_EVERY_MS)
  const growth = [...memory].map(([name, figures]) => {
    const later = figures.slice(settled)
    const half = Math.trunc(later.length / 2)
    return { name, first: median(later.slice(0, half)), second: median(later.slice(half)), most: Math.max(...later) }
  })
  report(
    growth.map(({ name, first, second, most }) => `${name}: ${mib(first)}, then ${mib(second)}, at most ${mib(most)}`),
  )
  for (const { first, second } of growth) expect(second - first).toBeLessThan(MAX_GROWTH_MIB)
})

it('streams the run as one zip with constant memory', async () => {
  const main = Number(lab.main.pid)
  const mainMemory = async (): Promise<number> =>
    (await memoryOf(main, lab.home)).find(({ name }) => name.startsWith('main'))?.mebibytes ?? Number.NaN
  const before = await mainMemory()
  let most = before
  let bytes = 0
  const response = await fetch(`${lab.url}/runs/${run.run_id}/zip`)
  expect(response.status).toBe(200)
  for await (const chunk of response.body ?? []) {
    const had = bytes
    bytes += (chunk as Uint8Array).byteLength
    if (Math.trunc(had / 2 ** 24) !== Math.trunc(bytes / 2 ** 24)) most = Math.max(most, await mainMemory())
  }
  const size = await sizeOf(join(lab.home, 'runs'))
  report([`zip of ${mib(size / 2 ** 20)} as ${mib(bytes / 2 ** 20)}: main had ${mib(before)}, at most ${mib(most)}`])
  expect(size).toBeGreaterThan(2 ** 30 * 0.9)
  expect(most - before).toBeLessThan(MAX_GROWTH_MIB)
}, 300_000)

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.trunc(values.length / 2)] ?? Number.NaN
}

const mib = (value: number): string => `${value.toFixed(0)} MiB`

const report = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)

/** Bytes of all files below a directory. */
async function sizeOf(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0)
}

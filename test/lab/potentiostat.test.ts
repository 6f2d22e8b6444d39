import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outputsOn } from '../support/bench-outputs.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

interface RunStatus {
  readonly run_id: string
  readonly status: string
  readonly progress_pct: number
  readonly slots: readonly {
    readonly slot: string
    readonly status: string
    readonly message: string | null
    readonly files: readonly string[]
  }[]
}

const home = createLabHome()
let lab: Lab
let finished: RunStatus
const progress: number[] = []

/** N of the default CV: 0 → 0.5 → −0.1 → 0 V at 0.5 V/s: trunc(1/h) + trunc(1.2/h) + trunc(0.2/h) samples. */
const ROWS = 2777 + 3333 + 555

beforeAll(async () => {
  lab = await home.start()
  await until(async () => (await lab.get<unknown[]>('/devices')).length === 2, 'two slots')
  const { status, body } = await lab.send<RunStatus>('POST', '/jobs', {
    devices: ['slot01', 'slot02'],
    modes: ['CV'],
    params_by_mode: { CV: { start: 0, vertex1: 0.5, vertex2: -0.1, end: 0, scan_rate: 0.5, cycles: 1 } },
    tia_gain: 1,
    sampling_interval: null,
    experiment_name: 'MyExperiment',
    subdir: 'GroupA',
    client_datetime: '2025-11-03T10-15-31',
    make_plot: true,
  })
  expect(status).toBe(200)
  finished = body
  await until(
    async () => {
      finished = await lab.get<RunStatus>(`/jobs/${body.run_id}`)
      progress.push(finished.progress_pct)
      return !['running', 'queued'].includes(finished.status)
    },
    'the run to end',
    40_000,
  )
}, 100_000)
afterAll(() => home.remove())

const csv = async (slot: string): Promise<string[][]> => {
  const path = finished.slots.find((entry) => entry.slot === slot)?.files.find((file) => file.endsWith('.csv')) ?? ''
  const response = await fetch(`${lab.url}/runs/${finished.run_id}/file?path=${encodeURIComponent(path)}`)
  expect(response.status).toBe(200)
  return (await response.text())
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','))
}

it('ends as done with every slot done', () => {
  expect(finished).toMatchObject({ status: 'done', progress_pct: 100 })
  expect(finished.slots.map(({ status, message }) => [status, message])).toEqual([
    ['done', null],
    ['done', null],
  ])
  expect(outputsOn(lab.home)).toEqual([])
})

it('shows progress that rises to 100', () => {
  expect([...progress].sort((a, b) => a - b)).toEqual(progress)
  expect(progress.some((percent) => percent > 0 && percent < 100)).toBe(true)
})

describe.each(['slot01', 'slot02'])('the CSV of %s', (slot) => {
  it('has the columns of a CV and exactly N rows', async () => {
    const [header, ...rows] = await csv(slot)
    expect(header?.join(',')).toBe('Time (s),Potential (V),Current (A),Cycle,Exp,Applied potential (V)')
    expect(rows).toHaveLength(ROWS)
    expect(rows[1]?.[0]).toBe('0.00036')
  })

  it('shows the two peaks of the default cell around 0.22 V', async () => {
    const rows = (await csv(slot)).slice(1).map((row) => row.map(Number))
    const peak = (sign: 1 | -1) =>
      rows.reduce((best, row) => (sign * (row[2] ?? 0) > sign * (best[2] ?? 0) ? row : best))
    const [anodic, cathodic] = [peak(1), peak(-1)]
    expect(anodic[1]).toBeGreaterThan(0.22)
    expect(cathodic[1]).toBeLessThan(0.22)
    expect(anodic[2]).toBeGreaterThan(5e-5)
    expect(cathodic[2]).toBeLessThan(-5e-5)
  })
})

it('offers the files as one zip of this run', async () => {
  const { files } = await lab.get<{ files: string[] }>(`/runs/${finished.run_id}/files`)
  expect(files).toContain('slot01/CV/MyExperiment_slot01_CV.csv')
  const response = await fetch(`${lab.url}/runs/${finished.run_id}/zip`)
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(response.headers.get('content-type')).toBe('application/zip')
  expect(bytes.subarray(0, 2).toString()).toBe('PK')
  for (const file of files) expect(bytes.includes(file)).toBe(true)
})

it('refuses wrong parameters before anything moves', async () => {
  const { status, body } = await lab.send<{ code: string; message: string }>('POST', '/jobs', {
    devices: ['slot01'],
    modes: ['CV'],
    params_by_mode: { CV: { start: 0, vertex1: 0.5, vertex2: -0.1, end: 0, scan_rate: 0, cycles: 1 } },
    experiment_name: 'x',
    client_datetime: '2025-11-03T10-15-31',
  })
  expect(status).toBe(422)
  expect(body.code).toBe('jobs.invalid_params')
  expect(outputsOn(lab.home)).toEqual([])
})

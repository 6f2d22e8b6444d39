import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readZip } from '../http-gateway/support/read-zip.js'
import { outputsOn } from '../support/bench-outputs.js'
import { type BoxAnswer, type BoxClient, boxClient } from '../support/box-client.js'
import { rawRequest } from '../support/raw-request.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'
import { oversizedOrders, refusals, refusedOrders } from './box-refusals.js'

/** Every endpoint of the box API against one running unit that asks for a key. `finished` is a run that ended, `measuring` one that holds
 * slot02 until the last test cancels it. */

const KEY = 'key of the box'
const home = createLabHome()
let lab: Lab
let box: BoxClient

const CA = { CA: { potential: 0.3, duration: 0.2 } }
const CSV = 'slot01/CA/My_Exp_slot01_CA.csv'
const order = {
  devices: ['slot01'],
  modes: ['CA'],
  params_by_mode: CA,
  tia_gain: 1,
  sampling_interval: null,
  experiment_name: 'My Exp',
  subdir: 'Grp/A',
  client_datetime: '2025-11-03T10-15-31',
  make_plot: true,
}

beforeAll(async () => {
  lab = await home.start({ BOX_API_KEY: KEY, BOX_ID: 'A' })
  box = boxClient(lab.url, KEY)
  await until(async () => ((await box.get('/devices')).json as unknown[]).length === 2, 'two slots')
  await box.order({
    ...order,
    run_name: 'measuring',
    devices: ['slot02'],
    params_by_mode: { CA: { potential: 0.3, duration: 600 } },
    // 139 samples per row: little work for the machine that measures and tests.
    sampling_interval: 0.05,
  })
  await box.order({ ...order, run_name: 'finished', group_id: 'Group One' })
  expect(await box.ended('finished')).toMatchObject({ status: 'done' })
}, 150_000)
afterAll(() => home.remove())

type Expected = readonly [method: string, path: string, body: unknown, status: number, expected: unknown]

/** The 18 of the contract and `/devices/status`, less `/version`, which is open. */
const behindTheKey: (readonly [method: string, path: string])[] = [
  ['GET', '/health'],
  ['GET', '/devices'],
  ['GET', '/devices/status'],
  ['GET', '/modes'],
  ['GET', '/modes/CV/params'],
  ['POST', '/modes/CV/validate'],
  ['POST', '/jobs'],
  ['GET', '/jobs'],
  ['POST', '/jobs/status'],
  ['GET', '/jobs/finished'],
  ['POST', '/jobs/measuring/cancel'],
  ['GET', '/runs/finished/files'],
  ['GET', `/runs/finished/file?path=${CSV}`],
  ['GET', '/runs/finished/zip'],
  ['POST', '/nas/setup'],
  ['GET', '/nas/health'],
  ['POST', '/runs/finished/upload'],
  ['POST', '/admin/rescan'],
]

/** The body that satisfies clients of both generations: `code`, `message` and `hint` at the top and in `detail`, or a list of issues there. */
function expectError({ status, json }: BoxAnswer, wanted: number, code: string): void {
  const body = json as {
    readonly code: string
    readonly message: string
    readonly hint: string
    readonly detail: unknown
  }
  expect([status, body.code]).toEqual([wanted, code])
  const { message, hint, detail } = body
  expect(message).toMatch(/\S/)
  expect(hint).toEqual(expect.any(String))
  if (!Array.isArray(detail)) expect(detail).toEqual({ code, message, hint })
  else {
    expect(detail.length).toBeGreaterThan(0)
    for (const issue of detail) {
      expect(issue).toMatchObject({ type: expect.any(String), loc: expect.any(Array), msg: expect.any(String) })
      expect(['body', 'query']).toContain(issue.loc[0])
    }
  }
}

describe('the key', () => {
  test.each(behindTheKey)(
    '%s %s is refused without it, with a wrong one and before the body is read',
    async (method, path) => {
      for (const client of [boxClient(lab.url), boxClient(lab.url, `${KEY}x`)]) {
        expectError(await client.call(method, path, method === 'POST' ? '{' : undefined), 401, 'auth.invalid_api_key')
      }
    },
  )

  test.each(['/version', '/docs', '/openapi.json'])('GET %s needs none', async (path) => {
    expect((await boxClient(lab.url).get(path)).status).toBe(200)
  })
})

const text = expect.any(String)
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
const finishedSlot = {
  slot: 'slot01',
  status: 'done',
  started_at: time,
  ended_at: time,
  message: null,
  files: [CSV, CSV.replace('csv', 'json'), CSV.replace('csv', 'png')],
}
const finishedRun = {
  run_id: 'finished',
  mode: 'CA',
  started_at: time,
  status: 'done',
  ended_at: time,
  slots: [expect.objectContaining(finishedSlot)],
  progress_pct: 100,
  remaining_s: 0,
  modes: ['CA'],
  current_mode: null,
  remaining_modes: [],
  group_id: 'Group One',
}
const measuringRun = {
  run_id: 'measuring',
  mode: 'CA',
  status: 'running',
  ended_at: null,
  current_mode: 'CA',
  remaining_modes: [],
  slots: [expect.objectContaining({ slot: 'slot02', status: 'running', started_at: time, ended_at: null, files: [] })],
}
const summaryOf = (run_id: string, status: string, slot: string) => ({
  run_id,
  mode: 'CA',
  status,
  started_at: time,
  ended_at: status === 'done' ? time : null,
  devices: [slot],
})

const get = (path: string, expected: unknown): Expected => ['GET', path, undefined, 200, expected]
const post = (path: string, body: unknown, expected: unknown): Expected => ['POST', path, body, 200, expected]
const some = (expected: object): unknown => expect.objectContaining(expected)
const cv = { vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.05, cycles: 3 }
const finishedSummary = summaryOf('finished', 'done', 'slot01')
const measuringSummary = summaryOf('measuring', 'running', 'slot02')

const successes: Expected[] = [
  get('/version', { api: '1.0', pybeep: text, firmware: text, python: text, build: text }),
  get('/health', some({ ok: true, devices: 2, box_id: 'A', simulated: true })),
  get('/devices', [
    { slot: 'slot01', port: text, sn: text, connected: true, status: 'idle', run_id: null },
    { slot: 'slot02', port: text, sn: text, connected: true, status: 'busy', run_id: 'measuring' },
  ]),
  get('/devices/status', [
    { slot: 'slot01', status: 'idle', started_at: null, ended_at: null, message: null, files: [] },
    some({ slot: 'slot02', status: 'running', message: null, files: [] }),
  ]),
  get('/modes', 'CA LSV CV PSTEP CP GS GCV STEPSEQ OCP CDL EIS'.split(' ')),
  get('/modes/pstep/params', { potentials: 'typing.List[float]', step_duration: "<class 'float'>" }),
  post(
    '/modes/CV/validate',
    { start: '0', ...cv },
    { ok: true, errors: [], warnings: [], params: { start: 0, ...cv }, adjustments: [some({ from: '0', to: 0 })] },
  ),
  post(
    '/modes/CV/validate',
    { start: 99, ...cv, scan_rate: 0 },
    some({
      ok: false,
      errors: [
        { field: 'start', code: 'max_value', message: text },
        { field: 'scan_rate', code: 'must_be_positive', message: text },
      ],
    }),
  ),
  get('/jobs', [finishedSummary, measuringSummary]),
  get('/jobs?state=incomplete', [measuringSummary]),
  get('/jobs?state=completed', [finishedSummary]),
  get('/jobs?group_id=group%20one', [finishedSummary]),
  get('/jobs?group_id=nobody', []),
  get('/jobs/finished', some(finishedRun)),
  get('/jobs/measuring', some(measuringRun)),
  post('/jobs/status', { run_ids: ['measuring', '', 'finished', 'measuring'] }, [
    some(measuringRun),
    some(finishedRun),
    some(measuringRun),
  ]),
  ['POST', '/jobs/finished/cancel', undefined, 202, { run_id: 'finished', status: 'done' }],
  get('/nas/health', { ok: false, last_checked: null, message: 'not configured' }),
  post('/runs/finished/upload', undefined, some({ ok: true, enqueued: false, run_id: 'finished', uploaded: false })),
  post('/admin/rescan', undefined, some({ devices: ['slot01', 'slot02'], added: [], removed: [], busy: ['slot02'] })),
]

describe('success', () => {
  test.each(successes)('%s %s %j answers %i', async (method, path, body, status, expected) => {
    const answer = await box.call(method, path, body)
    expect([answer.status, answer.json]).toEqual([status, expected])
  })

  test('the files of a run are listed, sent one by one, by ranges, and as an archive of the same content', async () => {
    const { json } = await box.get('/runs/finished/files')
    const { files } = json as { files: string[] }
    expect(files).toEqual(finishedSlot.files)
    const csv = await box.get(`/runs/finished/file?path=${CSV}`)
    expect(csv.text.split('\r\n')[0]).toBe('Time (s),Potential (V),Current (A),Exp,Applied potential (V),Saturated')
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(1 + 555)
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="My_Exp_slot01_CA.csv"')
    const range = await box.get(`/runs/finished/file?path=${CSV}`, { range: 'bytes=5-7' })
    expect([range.status, range.text]).toEqual([206, csv.text.slice(5, 8)])
    const zip = await box.get('/runs/finished/zip')
    expect(zip.headers.get('content-type')).toBe('application/zip')
    expect(zip.headers.get('content-disposition')).toBe('attachment; filename="finished.zip"')
    const entries = readZip(zip.bytes)
    expect(entries.map(({ name }) => name)).toEqual(files)
    expect(entries[0]?.content.toString()).toBe(csv.text)
  })
})

describe('errors', () => {
  const titled = refusedOrders.map((row) => [JSON.stringify(row[0]).slice(0, 120), ...row] as const)
  test.each(titled)('POST /jobs with %s', async (_title, changes, status, code) => {
    expectError(await box.post('/jobs', { ...order, ...changes }), status, code)
  })

  test.each(oversizedOrders)('POST /jobs with %s is refused, and the box goes on', async (_what, changes) => {
    expectError(await box.post('/jobs', { ...order, ...changes }), 422, 'jobs.invalid_params')
    expect((await box.get('/health')).json).toMatchObject({ services: 'ready' })
  })

  test.each(refusals)('%s %s %j answers %i %s', async (method, path, body, status, code) => {
    expectError(await box.call(method, path, body), status, code)
  })

  test.each(['/runs/%2e%2e/files', '/runs/../files', '/runs/%2e%2e/file?path=event-log.db', '/runs/%2fetc/zip'])(
    'GET %s reveals nothing',
    async (path) => {
      const { status, text: body } = await rawRequest(lab.url, path, { 'x-api-key': KEY })
      expect(status).toBe(404)
      expect(JSON.parse(body)).toMatchObject({ code: expect.stringMatching(/\.not_found$/) })
    },
  )

  test('busy slots are named as both kinds of client look for them', async () => {
    const { json } = await box.post('/jobs', { ...order, devices: ['slot01', 'slot02'] })
    expect(json).toMatchObject({ slot: 'slot02', slots: ['slot02'], message: 'Slots busy: slot02' })
  })

  test('none of the refused orders left a run or a folder, and no device moved', async () => {
    expect(((await box.get('/jobs')).json as unknown[]).length).toBe(2)
    expect((await box.get('/devices/status')).json).toMatchObject([{ status: 'idle' }, { status: 'running' }])
  })
})

describe('in the end', () => {
  test('a measuring run is cancelled: cell open, rows kept and listed, slot free', async () => {
    expect(await box.post('/jobs/measuring/cancel')).toMatchObject({
      status: 202,
      json: { run_id: 'measuring', status: 'cancelled' },
    })
    const { slots, ended_at } = await box.ended('measuring')
    expect(slots).toMatchObject([{ status: 'cancelled', message: 'cancelled', ended_at }])
    expect(slots[0]?.samples).toBeGreaterThan(0)
    expect(outputsOn(lab.home)).toEqual([])
    const [csv = ''] = slots[0]?.files ?? []
    const { text: rows } = await box.get(`/runs/measuring/file?path=${csv}`)
    expect(rows.trimEnd().split('\r\n')).toHaveLength(1 + Math.ceil((slots[0]?.samples ?? 0) / 139))
    const next = await box.order({ ...order, devices: ['slot02'] })
    expect(await box.ended(next)).toMatchObject({ status: 'done' })
  })

  test('services that do not answer make orders 503, and reading goes on', async () => {
    process.kill(lab.servicesPid(), 'SIGSTOP')
    expectError(await box.post('/jobs', order), 503, 'services.no_answer')
    expect((await box.get('/jobs/finished')).status).toBe(200)
  })
})

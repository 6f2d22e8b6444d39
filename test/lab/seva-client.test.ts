import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rebuildRunFiles } from '../../projections/rebuild.js'
import { readZip } from '../http-gateway/support/read-zip.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

/** The requests of SEVA, the desktop client of pyBEEP's box service, in its order and with its headers and parameters: discovery, connection
 * test, one order per well, group polling, download, cancellation, network storage. */

const KEY = 'seva key'
const GROUP = 'My_Exp_Run_1__20261120_094409__6D2P'
const home = createLabHome()
let lab: Lab

interface Run {
  readonly run_id: string
  readonly status: string
  readonly progress_pct: number
  readonly remaining_s: number | null
  readonly slots: readonly { readonly slot: string; readonly status: string; readonly message: string | null }[]
}

async function send(method: string, path: string, { body, accept = 'application/json', key = KEY }: Sent = {}) {
  const response = await fetch(lab.url + path, {
    method,
    headers: {
      accept,
      ...(key === '' ? {} : { 'x-api-key': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}
interface Sent {
  readonly body?: object
  readonly accept?: string
  readonly key?: string
}

/** A reply the client accepts: 2xx and JSON. */
async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const { status, bytes } = await send(method, path, body === undefined ? {} : { body })
  expect([status >= 200 && status < 300, path, bytes.toString()]).toEqual([true, path, expect.anything()])
  return JSON.parse(bytes.toString()) as T
}

/** An order as the client builds it from its form: text values, absent fields as null. */
const order = (slot: string, mode: string, params: object) => ({
  devices: [slot],
  modes: [mode],
  params_by_mode: { [mode]: params },
  tia_gain: null,
  sampling_interval: null,
  make_plot: false,
  experiment_name: 'My Exp',
  subdir: 'Run 1',
  group_id: GROUP,
  client_datetime: '2026-11-20T09:44:09Z',
})
const CV = { start: '0', vertex1: '0.3', vertex2: '-0.3', end: '0', scan_rate: '1.0', cycles: '1' }
/** Alternating electrolysis travels as CA. */
const AC = {
  duration_s: '1',
  frequency_hz: '2',
  voltage_v: '0.2',
  current_ma: null,
  charge_cutoff_c: null,
  voltage_cutoff_v: null,
  control_mode: 'potential (V)',
}

const TERMINAL = ['done', 'failed', 'canceled', 'cancelled']

/** Group polling: only runs that are not terminal are asked. */
async function pollGroup(runIds: readonly string[]): Promise<readonly Run[]> {
  const last = new Map<string, Run>()
  for (;;) {
    const open = runIds.filter((id) => !TERMINAL.includes(last.get(id)?.status ?? ''))
    if (open.length === 0) return [...last.values()]
    const runs = await ask<Run[]>('POST', '/jobs/status', { run_ids: open })
    expect(runs.map(({ run_id }) => run_id)).toEqual(open)
    for (const run of runs) last.set(run.run_id, run)
    await delay(200)
  }
}

beforeAll(async () => {
  lab = await home.start({ BOX_API_KEY: KEY, BOX_ID: 'A', BOX_LAYOUT: 'wells', BOX_FILE_NAME: 'full' })
  await until(async () => (await ask<unknown[]>('GET', '/devices')).length === 2, 'two slots')
}, 150_000)
afterAll(() => home.remove())

test('finds the box without a key and tests the connection with it', async () => {
  const version = await send('GET', '/version', { key: '' })
  expect([version.status, JSON.parse(version.bytes.toString())]).toMatchObject([
    200,
    { api: '1.0', build: expect.any(String) },
  ])
  expect((await send('GET', '/health', { key: '' })).status).toBe(401)

  const panel = { ...(await ask<object>('GET', '/version')), ...(await ask<object>('GET', '/health')) }
  const text = expect.any(String)
  expect(panel).toMatchObject({
    api: text,
    pybeep: text,
    firmware: text,
    python: text,
    build: text,
    ok: true,
    devices: 2,
    box_id: 'A',
  })
  const devices = await ask<{ slot: string }[]>('GET', '/devices')
  expect(devices.map(({ slot }) => /^slot(\d+)$/.exec(slot)?.[1])).toEqual(['01', '02'])
  expect(await ask('GET', '/devices/status')).toMatchObject([{ slot: 'slot01', status: 'idle' }, { status: 'idle' }])
  expect(await ask<string[]>('GET', '/modes')).toEqual(expect.arrayContaining(['CV', 'CA']))
  expect(Object.keys(await ask<object>('GET', '/modes/CV/params'))).toEqual(Object.keys(CV))
})

describe('a group of wells', () => {
  let runIds: readonly string[]

  test('is ordered one well after the other; an order sent again for want of an answer starts nothing new', async () => {
    const first = await ask<Run>('POST', '/jobs', order('slot01', 'CV', CV))
    const second = await ask<Run>('POST', '/jobs', order('slot02', 'CA', AC))
    const again = await ask<Run>('POST', '/jobs', order('slot02', 'CA', AC))
    expect(again.run_id).toBe(second.run_id)
    runIds = [first.run_id, second.run_id]
    expect(await ask('GET', '/devices/status')).toMatchObject([{ status: 'running' }, { status: 'running' }])
    const busy = await send('POST', '/jobs', { body: { ...order('slot01', 'CV', CV), group_id: 'other' } })
    expect([busy.status, JSON.parse(busy.bytes.toString())]).toMatchObject([409, { slot: 'slot01' }])
  })

  test('is found again by its id after the client was restarted, whatever the case', async () => {
    const found = await ask<Run[]>('GET', `/jobs?group_id=${GROUP.toLowerCase()}`)
    expect(found.map(({ run_id }) => run_id).sort()).toEqual([...runIds].sort())
  })

  test('is polled until every well is done', async () => {
    const ended = await pollGroup(runIds)
    expect(ended.map(({ status, progress_pct, remaining_s }) => [status, progress_pct, remaining_s])).toEqual([
      ['done', 100, 0],
      ['done', 100, 0],
    ])
  })

  test('is downloaded as one archive per run that holds the slot of that run alone', async () => {
    for (const [index, runId] of runIds.entries()) {
      const { status, bytes } = await send('GET', `/runs/${runId}/zip`, { accept: 'application/zip' })
      const names = readZip(bytes).map(({ name }) => name)
      const [slot, mode] = [`slot0${index + 1}`, index === 0 ? 'CV' : 'CA']
      const base = `Wells/${slot}/${mode}/My_Exp_Run_1_2026-11-20_09-44-09Z_${slot}_${mode}`
      expect([status, names]).toEqual([200, [`${base}.csv`, `${base}.json`]])
      const csv = readZip(bytes)[0]?.content.toString() ?? ''
      const [header = ''] = csv.split('\r\n')
      expect(header.split(',')).toEqual(expect.arrayContaining(['Time (s)', 'Potential (V)', 'Current (A)']))
    }
  })

  test('alternates where it was told to: two periods a second between both potentials', async () => {
    const { bytes } = await send('GET', `/runs/${runIds[1]}/zip`, { accept: 'application/zip' })
    const [header = '', ...rows] = readZip(bytes)[0]?.content.toString().trimEnd().split('\r\n') ?? []
    const column = header.split(',').indexOf('Applied potential (V)')
    const applied = rows.map((row) => Math.sign(Number(row.split(',')[column])))
    const changes = applied.filter((sign, at) => at > 0 && sign !== applied[at - 1])
    expect([applied.length, applied[0], changes]).toEqual([2777, 1, [-1, 1, -1]])
  })
})

test('a group is cancelled without a body, an unknown run of it tolerated', async () => {
  const long = { ...CV, cycles: '500' }
  const { run_id } = await ask<Run>('POST', '/jobs', { ...order('slot01', 'CV', long), group_id: 'cancelled' })
  await ask('POST', `/jobs/${run_id}/cancel`)
  expect((await send('POST', '/jobs/nobody/cancel')).status).toBe(404)
  expect(await pollGroup([run_id])).toMatchObject([
    { status: 'cancelled', slots: [{ slot: 'slot01', status: 'cancelled' }] },
  ])
})

test('an electrolysis by current ends with its charge', async () => {
  const params = {
    ...AC,
    duration_s: '20',
    frequency_hz: '0',
    control_mode: 'current (mA)',
    voltage_v: null,
    current_ma: '0.02',
    charge_cutoff_c: '0.000004',
  }
  const { run_id } = await ask<Run>('POST', '/jobs', { ...order('slot01', 'CA', params), group_id: 'electrolysis' })
  expect(await pollGroup([run_id])).toMatchObject([{ status: 'done', progress_pct: 100 }])
  const { bytes } = await send('GET', `/runs/${run_id}/zip`, { accept: 'application/zip' })
  const [csv, sidecar] = readZip(bytes).map(({ content }) => content.toString())
  expect(csv?.split('\r\n')[0]?.split(',')).toContain('Applied current (A)')
  expect(JSON.parse(sidecar ?? '')).toMatchObject({
    status: 'done',
    report: { ended_by: 'a charge of 0.000004 C was reached' },
  })
})

test('an order that names no gain is measured in a range of its own choice', async () => {
  const { run_id } = await ask<Run>('POST', '/jobs', { ...order('slot01', 'CV', CV), group_id: 'range' })
  expect(await pollGroup([run_id])).toMatchObject([{ status: 'done', slots: [{ message: null }] }])
  const { bytes } = await send('GET', `/runs/${run_id}/zip`, { accept: 'application/zip' })
  const sidecar = JSON.parse(readZip(bytes)[1]?.content.toString() ?? '') as object
  expect(sidecar).toMatchObject({
    warnings: [],
    report: {
      saturated_samples: 0,
      range: { probe: { duration_s: expect.any(Number), charge_c: expect.any(Number) } },
    },
  })
})

test('clipped data are told in the job, its slot, the rows, the sidecar and the plot, once each', async () => {
  const clipped = { ...order('slot01', 'CV', CV), tia_gain: 3, make_plot: true, group_id: 'clipped' }
  const { run_id } = await ask<Run>('POST', '/jobs', clipped)
  const [ended] = await pollGroup([run_id])
  const message = expect.stringMatching(/tia_gain 3 \(±5\.445 µA\) in \d+ of \d+ samples .* tia_gain 2/)
  const warning = { code: 'current_saturated', message }
  expect(ended).toMatchObject({
    status: 'done',
    warnings: [{ ...warning, slot: 'slot01', mode: 'CV' }],
    slots: [{ status: 'done', message: expect.stringMatching(/^CV: The current is clipped/) }],
  })
  const { bytes } = await send('GET', `/runs/${run_id}/zip`, { accept: 'application/zip' })
  const [csv = '', sidecar = '', png = ''] = readZip(bytes).map(({ content }) => content.toString('latin1'))
  expect(csv.split('\r\n')[0]?.split(',').at(-1)).toBe('Saturated')
  expect(csv.split('\r\n').filter((row) => row.endsWith(',1.0')).length).toBeGreaterThan(1000)
  expect(JSON.parse(Buffer.from(sidecar, 'latin1').toString())).toMatchObject({ warnings: [warning], status: 'done' })
  expect(sidecar.match(/current_saturated/g)).toHaveLength(1)
  expect(png.slice(1, 4)).toBe('PNG')
})

test('a form that cannot be measured is refused with the reason', async () => {
  const { status, bytes } = await send('POST', '/jobs', {
    body: order('slot01', 'CA', { ...AC, control_mode: 'current' }),
  })
  expect([status, JSON.parse(bytes.toString())]).toMatchObject([
    422,
    { code: 'jobs.invalid_params', message: expect.stringContaining('current_ma (mA) is missing') },
  ])
})

test('the dialog of the network storage gets its answers', async () => {
  const setup = {
    host: '127.0.0.1:1',
    share: 's',
    username: 'u',
    password: 'p',
    base_subdir: 'Box',
    retention_days: 14,
    domain: null,
  }
  expect(await ask('POST', '/nas/setup', setup)).toMatchObject({ ok: false, message: expect.any(String) })
  expect(await ask('GET', '/nas/health')).toMatchObject({ ok: false, message: expect.any(String) })
  const [run] = await ask<Run[]>('GET', `/jobs?group_id=${GROUP}`)
  expect(await ask('POST', `/runs/${run?.run_id}/upload`)).toMatchObject({ ok: true, enqueued: true })
})

test('a rebuild under other settings writes the same files to the same paths', async () => {
  expect(await lab.interrupt()).toBe(0)
  const before = tree(join(home.home, 'runs'))
  expect(Object.keys(before).filter((path) => path.includes('/Wells/')).length).toBeGreaterThan(5)
  await rebuildRunFiles({
    eventLogPath: join(home.home, 'event-log.db'),
    runFilesStatePath: join(home.home, 'rebuilt.db'),
    runsRoot: join(home.home, 'rebuilt'),
  })
  expect(tree(join(home.home, 'rebuilt'))).toEqual(before)
})

/** Content of every file below a directory that is a run's: marks of uploads are not. */
function tree(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => !/UPLOAD_/.test(name))
  const files = names.filter((name) => statSync(join(root, name)).isFile()).sort()
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(root, name), 'base64')]))
}

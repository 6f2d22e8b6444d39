import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ModeDeclaration } from '../../../../events/define-mode.js'
import { rescanDevicesCommand } from '../../../../events/potentiostat/commands.js'
import { modeOffer } from '../../support/given-jobs.js'
import { device, run, slot } from '../../support/given-runs.js'
import { codeOf, startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

const volts = { type: 'number', unit: 'V', min: -10, max: 10, doc: 'Potential.' } as const
const cv: ModeDeclaration = {
  mode: 'CV',
  control: 'potentiostatic',
  doc: 'Cyclic voltammetry.',
  parameters: {
    start: volts,
    scan_rate: { type: 'number', unit: 'V/s', positive: true, doc: 'Rate.' },
    cycles: { type: 'integer', positive: true, doc: 'Cycles.' },
    rest: { type: 'number', unit: 's', default: null, doc: 'Rest.' },
    steps: { type: 'numbers', unit: 'V', default: null, doc: 'Steps.' },
  },
  rules: [],
  columns: [],
  plot: 'iv_cycles',
}

describe('access', () => {
  test('asks for the key before it looks at the body, and leaves only discovery and documentation open', async () => {
    const locked = await startTestGateway({ boxApiKey: 'key' })
    try {
      for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': '' }, { 'x-api-key': 'key ' + 'x' }]) {
        expect(codeOf(await locked.send('POST', '/jobs', '{', headers))).toEqual([401, 'auth.invalid_api_key'])
      }
      expect(codeOf(await locked.send('POST', '/jobs', '{', { 'x-api-key': 'key' }))[0]).toBe(422)
      for (const path of ['/health', '/devices', '/modes', '/jobs', '/runs/x/zip']) {
        expect((await locked.get(path)).status).toBe(401)
      }
      expect((await locked.get('/version')).status).toBe(200)
    } finally {
      await locked.stop()
    }
  })

  test('every error body satisfies clients of both generations', async () => {
    const summary = { code: 'jobs.not_found', message: expect.any(String), hint: expect.any(String) }
    expect((await gateway.get('/jobs/nope')).json).toEqual({ ...summary, detail: summary })
  })
})

describe('the box', () => {
  test('tells versions as text', async () => {
    const { status, json } = await gateway.get('/version')
    expect(status).toBe(200)
    expect(json).toEqual({
      api: '1.0',
      pybeep: 'Benchlog, as pyBEEP 0.1.2',
      firmware: 'simulated',
      python: expect.stringMatching(/^node \d+\./),
      build: '20260102T030405Z',
    })
  })

  test('does not guess the firmware of real devices, and reports the build it was given', async () => {
    const real = await startTestGateway({ hardwareKind: 'real', build: 'r42' })
    expect((await real.get('/version')).json).toMatchObject({ firmware: 'unknown', build: 'r42' })
    await real.stop()
  })

  test('health counts connected devices and shows simulation, services and log', async () => {
    gateway.given(device('slot01'), device('slot02', { connected: false }))
    await gateway.clock.advance(2500)
    expect((await gateway.get('/health')).json).toEqual({
      ok: true,
      devices: 1,
      box_id: 'box1',
      simulated: true,
      services: 'ready',
      log: { writable: true, reason: null },
      uptime_s: 2,
    })
    gateway.status.value = { writable: false, position: 1, reason: 'disk full', timestamp: '2026-01-02T03:04:05.000Z' }
    expect((await gateway.get('/health')).json).toMatchObject({
      ok: true,
      log: { writable: false, reason: 'disk full' },
      message: 'The event log cannot be written: disk full.',
    })
  })

  test('health counts the persistent MQTT sessions where the broker runs in the same process', async () => {
    const counts = { stored: 3, connected: 1, most: 2000 }
    const whole = await startTestGateway({ sessionCounts: () => counts })
    expect((await whole.get('/health')).json).toMatchObject({ mqtt_sessions: counts })
    await whole.stop()
  })

  test('lists connected devices by slot', async () => {
    expect((await gateway.get('/devices')).json).toEqual([])
    gateway.given(device('slot02', { run_id: 'r1' }), device('slot01', { sn: null }))
    expect((await gateway.get('/devices')).json).toEqual([
      { slot: 'slot01', port: '/dev/slot01', sn: null, connected: true, status: 'idle', run_id: null },
      { slot: 'slot02', port: '/dev/slot02', sn: 'SN-slot02', connected: true, status: 'busy', run_id: 'r1' },
    ])
  })

  test('lists them as the later service of the family does, where a setting asks for it', async () => {
    const other = await startTestGateway({ devicesShape: 'object' })
    try {
      other.given(device('slot02'), device('slot01'))
      expect((await other.get('/devices')).json).toMatchObject({
        devices: [{ slot: 'slot01' }, { slot: 'slot02' }],
        slots: ['slot01', 'slot02'],
        count: 2,
      })
    } finally {
      await other.stop()
    }
  })

  test.each([
    ['POST', '/firmware/flash'],
    ['POST', '/updates/package'],
    ['GET', '/updates'],
    ['GET', '/updates/0123'],
    ['GET', '/api/telemetry/temperature/latest'],
    ['GET', '/api/telemetry/temperature/stream'],
  ])('%s %s of other services is not served, and says so', async (method, path) => {
    const { status, json } = await gateway.send(method, path)
    expect([status, json]).toMatchObject([501, { code: 'request.not_served', hint: expect.stringMatching(/\w/) }])
  })

  test('shows what each slot does', async () => {
    gateway.given(device('slot01'), device('slot02', { run_id: 'r1' }))
    const busy = slot('slot02', { status: 'running', mode_index: 0, samples: 5, progress_pct: 3 })
    gateway.givenRun(run('r1', { slots: [busy] }))
    expect((await gateway.get('/devices/status')).json).toEqual([
      { slot: 'slot01', status: 'idle', started_at: null, ended_at: null, message: null, files: [] },
      expect.objectContaining({ slot: 'slot02', status: 'running', current_mode: 'CV', samples: 5, progress_pct: 3 }),
    ])
  })

  test('a rescan says what came and went', async () => {
    gateway.given(device('slot01'), device('slot02', { run_id: 'r1' }))
    await gateway.serve(rescanDevicesCommand, () => {
      gateway.given(device('slot01', { connected: false }), device('slot03'))
      return { devices: ['slot02', 'slot03'], added: ['slot03'], removed: ['slot01'], busy: ['slot02'] }
    })
    expect((await gateway.send('POST', '/admin/rescan')).json).toMatchObject({
      devices: ['slot02', 'slot03'],
      added: ['slot03'],
      removed: ['slot01'],
      busy: ['slot02'],
    })
  })
})

describe('modes', () => {
  beforeEach(() => {
    gateway.given(modeOffer(cv))
  })

  test('are listed as announced, whether or not a device is there', async () => {
    expect((await gateway.get('/modes')).json).toEqual(['CV'])
    gateway.given({ topic: modeOffer(cv).topic })
    expect(codeOf(await gateway.get('/modes'))).toEqual([503, 'devices.unavailable'])
  })

  test('have parameters with type texts, whatever the case of the name', async () => {
    const { text } = await gateway.get('/modes/cv/params')
    expect(text).toBe(
      `{"start":"<class 'float'>","scan_rate":"<class 'float'>","cycles":"<class 'int'>",` +
        '"rest":"typing.Optional[float]","steps":"typing.List[float]"}',
    )
    expect((await gateway.get('/modes/CV/params?schema=full')).json).toMatchObject({
      start: { type: 'number', unit: 'V', min: -10, max: 10, required: true, type_text: "<class 'float'>" },
      rest: { required: false, default: null },
    })
  })

  test('that do not exist are refused with the list of those that do', async () => {
    const params = await gateway.get('/modes/XY/params')
    expect(codeOf(params)).toEqual([400, 'modes.parameter_error'])
    expect(params.json).toMatchObject({ message: expect.stringMatching(/XY.*CV/) })
    expect(codeOf(await gateway.send('POST', '/modes/XY/validate', {}))).toEqual([404, 'modes.not_found'])
  })

  test('check parameters and answer 200 either way', async () => {
    const good = await gateway.send('POST', '/modes/cv/validate', { start: '0.5', scan_rate: 0.05, cycles: 3 })
    expect(good).toMatchObject({ status: 200, json: { ok: true, errors: [], params: { start: 0.5, cycles: 3 } } })
    const bad = await gateway.send('POST', '/modes/CV/validate', { start: 99, scan_rate: 0.05 })
    expect(bad).toMatchObject({
      status: 200,
      json: {
        ok: false,
        errors: [
          { field: 'start', code: 'max_value' },
          { field: 'cycles', code: 'missing_field' },
        ],
      },
    })
  })

  test.each([
    ['', 'missing', ['body']],
    ['{', 'json_invalid', ['body', 1]],
    ['[]', 'dict_type', ['body']],
    ['5', 'dict_type', ['body']],
  ])('a body that is %o is 422', async (body, type, loc) => {
    const answer = await gateway.send('POST', '/modes/CV/validate', body)
    expect(codeOf(answer)).toEqual([422, 'request.validation_error'])
    expect(answer.json).toMatchObject({
      message: expect.any(String),
      hint: expect.any(String),
      detail: [{ type, loc }],
    })
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ModeDeclaration } from '../../events/define-mode.js'
import { InvalidInput, LabError } from '../../events/errors.js'
import type { ModeReport } from '../../events/payloads.js'
import { device, runRow, slotRow } from './support/given-runs.js'
import { type Answer, startTestGateway, type TestGateway } from './support/start-test-gateway.js'

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

const code = ({ status, json }: Answer) => [status, (json as { code?: string }).code]

describe('access', () => {
  test('asks for the key before it looks at the body, and leaves only discovery and documentation open', async () => {
    const locked = await startTestGateway({ boxApiKey: 'key' })
    try {
      for (const headers of [{}, { 'x-api-key': 'wrong' }, { 'x-api-key': '' }, { 'x-api-key': 'key ' + 'x' }]) {
        expect(code(await locked.send('POST', '/jobs', '{', headers))).toEqual([401, 'auth.invalid_api_key'])
      }
      expect(code(await locked.send('POST', '/jobs', '{', { 'x-api-key': 'key' }))[0]).toBe(422)
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
    const text = expect.any(String)
    expect(json).toEqual({ api: '1.0', pybeep: text, firmware: text, python: text, build: '20260102T030405Z' })
  })

  test('health counts connected devices and shows simulation, services and log', async () => {
    gateway.readModels.deviceRecords.push(device('slot01'), device('slot02', { connected: false }))
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

  test('lists connected devices by slot', async () => {
    expect((await gateway.get('/devices')).json).toEqual([])
    gateway.readModels.deviceRecords.push(device('slot02', { run_id: 'r1' }), device('slot01', { sn: null }))
    expect((await gateway.get('/devices')).json).toEqual([
      { slot: 'slot01', port: '/dev/slot01', sn: null, connected: true, status: 'idle', run_id: null },
      { slot: 'slot02', port: '/dev/slot02', sn: 'SN-slot02', connected: true, status: 'busy', run_id: 'r1' },
    ])
  })

  test('shows what each slot does', async () => {
    gateway.readModels.deviceRecords.push(device('slot01'), device('slot02', { run_id: 'r1' }))
    const busy = slotRow('slot02', { status: 'running', mode_index: 0, samples: 5, progress_pct: 3 })
    gateway.readModels.runRows.set('r1', runRow('r1', { slots: [busy] }))
    expect((await gateway.get('/devices/status')).json).toEqual([
      { slot: 'slot01', status: 'idle', started_at: null, ended_at: null, message: null, files: [] },
      expect.objectContaining({ slot: 'slot02', status: 'running', current_mode: 'CV', samples: 5, progress_pct: 3 }),
    ])
  })

  test('a rescan says what came and went', async () => {
    gateway.readModels.deviceRecords.push(device('slot01'), device('slot02', { run_id: 'r1' }))
    await gateway.serve('rescan_devices', () => {
      gateway.readModels.deviceRecords.shift()
      gateway.readModels.deviceRecords.push(device('slot03'))
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
    gateway.readModels.modeDeclarations.push(cv)
  })

  test('are listed as announced, whether or not a device is there', async () => {
    expect((await gateway.get('/modes')).json).toEqual(['CV'])
    gateway.readModels.modeDeclarations.length = 0
    expect(code(await gateway.get('/modes'))).toEqual([503, 'devices.unavailable'])
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
    expect(code(params)).toEqual([400, 'modes.parameter_error'])
    expect(params.json).toMatchObject({ message: expect.stringMatching(/XY.*CV/) })
    expect(code(await gateway.send('POST', '/modes/XY/validate', {}))).toEqual([404, 'modes.not_found'])
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
    expect(code(answer)).toEqual([422, 'request.validation_error'])
    expect(answer.json).toMatchObject({
      message: expect.any(String),
      hint: expect.any(String),
      detail: [{ type, loc }],
    })
  })
})

describe('ordering a run', () => {
  const order = {
    devices: ['slot01'],
    modes: ['CV'],
    params_by_mode: { CV: { start: '0', scan_rate: '1.0', cycles: '1' } },
    experiment_name: 'My Exp',
    client_datetime: '2026-11-20T09:44:09Z',
  }
  const post = (changes: object) => gateway.send('POST', '/jobs', { ...order, ...changes })
  let orders: Record<string, unknown>[]

  beforeEach(async () => {
    gateway.readModels.deviceRecords.push(device('slot01'), device('slot02'))
    orders = await gateway.serve('start_run', ({ run_id, ...rest }) => {
      const slots = (rest['devices'] as string[]).map((slot) => slotRow(slot))
      const modes = rest['modes'] as string[]
      const run = runRow(String(run_id), { slots, modes, group_id: rest['group_id'] as string | null })
      gateway.readModels.runRows.set(String(run_id), run)
    })
  })

  test('passes it on with its defaults and answers with the whole status', async () => {
    const { status, json } = await post({ unknown: true })
    expect(status).toBe(200)
    expect(orders).toEqual([
      {
        ...order,
        id: expect.any(String),
        run_id: expect.stringMatching(/^20260102T030405_[0-9a-f]{6}$/),
        tia_gain: 0,
        sampling_interval: null,
        subdir: null,
        group_id: null,
        make_plot: true,
      },
    ])
    expect(json).toMatchObject({
      run_id: orders[0]?.['run_id'],
      status: 'running',
      mode: 'CV',
      current_mode: 'CV',
      remaining_modes: [],
      slots: [{ slot: 'slot01', status: 'queued', files: [] }],
      progress_pct: 0,
    })
  })

  test.each([
    [{ devices: 'all' }, { devices: ['slot01', 'slot02'] }],
    [{ tia_gain: null }, { tia_gain: null }],
    [{ tia_gain: '2' }, { tia_gain: 2 }],
    [{ tia_gain: 2.0 }, { tia_gain: 2 }],
    [{ tia_gain: true }, { tia_gain: 1 }],
    [{ sampling_interval: '0.01' }, { sampling_interval: 0.01 }],
    [{ sampling_interval: true }, { sampling_interval: 1 }],
    [{ make_plot: 'yes' }, { make_plot: true }],
    [{ make_plot: 0 }, { make_plot: false }],
    [{ subdir: ' ', folder_name: 'Grp A' }, { subdir: 'Grp A' }],
    [{ subdir: 'Own', folder_name: 'Grp A' }, { subdir: 'Own' }],
    [{ run_name: '' }, { run_id: expect.stringMatching(/^2026/) }],
    [{ run_name: 'my-run.1' }, { run_id: 'my-run.1' }],
  ])('%o is understood as %o', async (given, understood) => {
    expect((await post(given)).status).toBe(200)
    expect(orders).toMatchObject([understood])
  })

  test.each([
    [{ devices: 'some' }, ['list_type', 'literal_error'], ['body', 'devices', 'list[str]']],
    [{ devices: null }, ['list_type', 'literal_error'], ['body', 'devices', 'list[str]']],
    [{ devices: undefined }, ['missing'], ['body', 'devices']],
    [{ modes: [] }, ['too_short'], ['body', 'modes']],
    [{ modes: 'CV' }, ['list_type'], ['body', 'modes']],
    [{ modes: [1] }, ['string_type'], ['body', 'modes', 0]],
    [{ params_by_mode: null }, ['dict_type'], ['body', 'params_by_mode']],
    [{ params_by_mode: { CV: null } }, ['dict_type'], ['body', 'params_by_mode', 'CV']],
    [{ tia_gain: 2.5 }, ['int_from_float'], ['body', 'tia_gain']],
    [{ tia_gain: 'x' }, ['int_parsing'], ['body', 'tia_gain']],
    [{ sampling_interval: 'x' }, ['float_parsing'], ['body', 'sampling_interval']],
    [{ experiment_name: 5 }, ['string_type'], ['body', 'experiment_name']],
    [{ client_datetime: 5 }, ['string_type'], ['body', 'client_datetime']],
    [{ make_plot: 2 }, ['bool_parsing'], ['body', 'make_plot']],
    [{ make_plot: null }, ['bool_type'], ['body', 'make_plot']],
  ])('%o is 422 with the issue %o', async (given, types, loc) => {
    const { status, json } = await post(given)
    const { detail } = json as { detail: { type: string; loc: unknown }[] }
    expect([status, detail.map(({ type }) => type), detail[0]?.loc]).toEqual([422, types, loc])
    expect(orders).toEqual([])
  })

  test.each([
    [{ modes: ['CV', 'EIS'] }, 422, 'jobs.invalid_request'],
    [{ modes: ['cv'] }, 422, 'jobs.invalid_request'],
    [{ devices: ['slot09', 'slot01'] }, 400, 'jobs.invalid_devices'],
    [{ devices: [] }, 400, 'jobs.invalid_devices'],
    [{ devices: ['slot01', 'slot01'] }, 422, 'jobs.invalid_request'],
    [{ run_name: '../etc' }, 400, 'jobs.invalid_name'],
    [{ run_name: '.hidden' }, 400, 'jobs.invalid_name'],
    [{ experiment_name: '..' }, 400, 'jobs.invalid_name'],
    [{ client_datetime: '--' }, 400, 'jobs.invalid_name'],
    [{ subdir: 'テスト' }, 400, 'jobs.invalid_name'],
    [{ devices: ['slot09'], experiment_name: '' }, 400, 'jobs.invalid_devices'],
    [{ modes: ['EIS'], devices: ['slot09'] }, 422, 'jobs.invalid_request'],
  ])('%o is refused with %i %s and nothing is ordered', async (given, status, expected) => {
    expect(code(await post(given))).toEqual([status, expected])
    expect(orders).toEqual([])
  })

  test('with the name of an existing run is a conflict', async () => {
    gateway.readModels.runRows.set('old', runRow('old', { status: 'done' }))
    expect(code(await post({ run_name: 'old' }))).toEqual([409, 'jobs.run_id_conflict'])
  })

  test('repeated by a client that got no answer gives the run that is already there', async () => {
    const first = await post({ group_id: 'g1' })
    const again = await post({ group_id: 'g1' })
    expect([again.status, (again.json as { run_id: string }).run_id]).toEqual([
      200,
      (first.json as { run_id: string }).run_id,
    ])
    await post({ group_id: 'g1', devices: ['slot02'] })
    await post({})
    await post({})
    expect(orders).toHaveLength(4)
    await gateway.clock.advance(30_000)
    await post({ group_id: 'g1' })
    expect(orders).toHaveLength(5)
  })

  test('two equal orders at the same moment start one run', async () => {
    const answers = await Promise.all([post({ group_id: 'g1' }), post({ group_id: 'g1' })])
    expect(new Set(answers.map(({ json }) => (json as { run_id: string }).run_id)).size).toBe(1)
    expect(orders).toHaveLength(1)
  })
})

describe('refusals of the service', () => {
  const post = () =>
    gateway.send('POST', '/jobs', {
      devices: 'all',
      modes: ['CV'],
      params_by_mode: { CV: {} },
      experiment_name: 'e',
      client_datetime: '1',
      group_id: 'g',
    })
  beforeEach(() => {
    gateway.readModels.deviceRecords.push(device('slot01'))
  })

  test('busy slots are 409 and named', async () => {
    await gateway.serve('start_run', () => {
      throw new LabError('jobs.slots_busy', 'state', 'Slots busy: slot01', {
        remediation: 'Wait until the listed slots are free.',
        details: { slots: ['slot01'] },
      })
    })
    const { status, json } = await post()
    const summary = {
      code: 'jobs.slots_busy',
      message: 'Slots busy: slot01',
      hint: 'Wait until the listed slots are free.',
    }
    expect([status, json]).toEqual([409, { ...summary, detail: summary, slot: 'slot01', slots: ['slot01'] }])
  })

  test('invalid parameters are 422 with every error, and the corrected order is not taken for a repetition', async () => {
    const errors = [{ mode: 'CV', field: 'start', code: 'missing_field', message: 'start is missing.' }]
    const orders = await gateway.serve('start_run', () => {
      throw new InvalidInput('CV: start is missing.', { details: { errors } }, 'jobs.invalid_params')
    })
    expect(await post()).toMatchObject({ status: 422, json: { code: 'jobs.invalid_params', errors } })
    await post()
    expect(orders).toHaveLength(2)
  })

  test('a run that the read models do not show is said to be accepted', async () => {
    await gateway.serve('start_run', () => null)
    expect(code(await post())).toEqual([503, 'projections.behind'])
  })
})

describe('the state of runs', () => {
  const report = (mode_index: number): ModeReport => ({
    mode_index,
    rows: 1,
    samples: 1,
    lost_samples: 0,
    underruns: 0,
    saturated_samples: 0,
    retries: 0,
    sample_period_s: null,
    tia_ohm: null,
    cell_off_verified: true,
  })

  test('has every field of the contract; the slowest slot says which mode it is', async () => {
    gateway.readModels.runRows.set(
      'r1',
      runRow('r1', {
        modes: ['CA', 'CV', 'EIS'],
        slots: [
          slotRow('slot01', {
            status: 'running',
            started_at: '2026-01-02T03:04:06.000Z',
            mode_index: 2,
            reports: [report(0), report(1)],
          }),
          slotRow('slot02', { status: 'running', mode_index: 1, reports: [report(0)] }),
          slotRow('slot03', { status: 'failed', message: 'unplugged', ended_at: '2026-01-02T03:04:07.000Z' }),
        ],
        progress_pct: 42,
        group_id: 'g',
        warnings: ['w'],
      }),
    )
    const { status, json } = await gateway.get('/jobs/r1')
    expect(status).toBe(200)
    expect(json).toEqual({
      run_id: 'r1',
      mode: 'CV',
      started_at: '2026-01-02T03:04:05.000Z',
      status: 'running',
      ended_at: null,
      slots: [
        expect.objectContaining({ slot: 'slot01', status: 'running', current_mode: 'EIS', message: null, files: [] }),
        expect.objectContaining({ slot: 'slot02', status: 'running', current_mode: 'CV' }),
        expect.objectContaining({ slot: 'slot03', status: 'failed', current_mode: null, message: 'unplugged' }),
      ],
      progress_pct: 42,
      remaining_s: 60,
      modes: ['CA', 'CV', 'EIS'],
      current_mode: 'CV',
      remaining_modes: ['EIS'],
      group_id: 'g',
      experiment: 'My Exp',
      subdir: null,
      client_datetime: '2025-11-03T10-15-31',
      simulated: true,
      warnings: ['w'],
    })
  })

  test('a queued run is running here and queued in the list; an ended one keeps its last mode', async () => {
    gateway.readModels.runRows.set('q', runRow('q', { status: 'queued' }))
    gateway.readModels.runRows.set(
      'd',
      runRow('d', {
        status: 'done',
        started_at: '2026-01-02T02:00:00.000Z',
        ended_at: '2026-01-02T02:01:00.000Z',
        modes: ['CV', 'EIS'],
        slots: [slotRow('slot01', { status: 'done', reports: [report(0), report(1)], files: ['slot01/CV/a.csv'] })],
      }),
    )
    expect((await gateway.get('/jobs/q')).json).toMatchObject({ status: 'running', current_mode: 'CV' })
    expect((await gateway.get('/jobs/d')).json).toMatchObject({
      status: 'done',
      mode: 'EIS',
      current_mode: null,
      remaining_modes: [],
      slots: [{ files: ['slot01/CV/a.csv'] }],
    })
    expect((await gateway.get('/jobs')).json).toEqual([
      {
        run_id: 'q',
        mode: 'CV',
        status: 'queued',
        started_at: '2026-01-02T03:04:05.000Z',
        ended_at: null,
        devices: ['slot01'],
      },
      {
        run_id: 'd',
        mode: 'EIS',
        status: 'done',
        started_at: '2026-01-02T02:00:00.000Z',
        ended_at: '2026-01-02T02:01:00.000Z',
        devices: ['slot01'],
      },
    ])
  })

  const ids = async (query: string) =>
    ((await gateway.get(`/jobs${query}`)).json as { run_id: string }[]).map(({ run_id }) => run_id)

  test('lists filter by state and by any name of the group', async () => {
    for (const status of ['queued', 'running', 'done', 'failed', 'cancelled'] as const) {
      gateway.readModels.runRows.set(status, runRow(status, { status }))
    }
    gateway.readModels.runRows.set(
      'g',
      runRow('g', { status: 'done', group_id: 'Group One', subdir: 'Grp/A', directory: 'My_Exp/Grp_A/2025' }),
    )
    gateway.readModels.runRows.set('s', runRow('s', { status: 'done', subdir: 'Only Sub' }))
    expect(await ids('?state=incomplete')).toEqual(['running', 'queued'])
    expect(await ids('?state=completed')).toEqual(['s', 'g', 'failed', 'done', 'cancelled'])
    expect(await ids('?group_id=%20group%20one%20')).toEqual(['g'])
    expect(await ids('?group_id=grp_a')).toEqual(['g'])
    expect(await ids('?group_id=Grp/A')).toEqual([])
    expect(await ids('?group_id=only%20sub')).toEqual(['s'])
    expect(await ids('?group_id=none')).toEqual([])
    expect(await ids('?group_id=%20')).toHaveLength(7)
    for (const query of ['?state=', '?state=other']) {
      expect(code(await gateway.get(`/jobs${query}`))).toEqual([422, 'request.validation_error'])
    }
  })

  test('several at once come in the order asked, or not at all when one is unknown', async () => {
    gateway.readModels.runRows.set('a', runRow('a'))
    gateway.readModels.runRows.set('b', runRow('b'))
    const ask = (run_ids: unknown) => gateway.send('POST', '/jobs/status', { run_ids })
    expect(((await ask(['b', '', 'a', 'b'])).json as { run_id: string }[]).map(({ run_id }) => run_id)).toEqual([
      'b',
      'a',
      'b',
    ])
    expect(code(await ask(['', '']))).toEqual([400, 'jobs.missing_run_ids'])
    expect(code(await ask([]))).toEqual([422, 'request.validation_error'])
    expect(code(await ask('a'))).toEqual([422, 'request.validation_error'])
    const unknown = await ask(['z', 'a', 'x'])
    expect(code(unknown)).toEqual([404, 'jobs.run_ids_unknown'])
    expect(unknown.json).toMatchObject({ message: expect.stringContaining('x, z') })
  })

  test('GET /jobs/status asks for a run called status', async () => {
    expect(code(await gateway.get('/jobs/status'))).toEqual([404, 'jobs.not_found'])
  })

  test('cancelling orders it once and leaves an ended run alone', async () => {
    gateway.readModels.runRows.set('r', runRow('r'))
    gateway.readModels.runRows.set('d', runRow('d', { status: 'done' }))
    const orders = await gateway.serve('cancel_run', () => null)
    expect(await gateway.send('POST', '/jobs/r/cancel')).toMatchObject({
      status: 202,
      json: { run_id: 'r', status: 'cancelled' },
    })
    expect(await gateway.send('POST', '/jobs/d/cancel')).toMatchObject({
      status: 202,
      json: { run_id: 'd', status: 'done' },
    })
    expect(code(await gateway.send('POST', '/jobs/x/cancel'))).toEqual([404, 'jobs.not_found'])
    expect(orders).toEqual([{ id: expect.any(String), run_id: 'r' }])
  })
})

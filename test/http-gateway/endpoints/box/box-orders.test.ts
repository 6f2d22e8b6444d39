import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LabError } from '../../../../events/core/errors.js'
import { startRunCommand } from '../../../../events/potentiostat/commands.js'
import {
  InvalidName,
  InvalidRunOrder,
  InvalidRunParameters,
  RunIdTaken,
  UnknownSlots,
} from '../../../../events/potentiostat/errors.js'
import { ServicesSuspended } from '../../../../events/system/errors.js'
import { device, run, slot } from '../../support/given-runs.js'
import { codeOf, startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

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
    gateway.given(device('slot01'), device('slot02'))
    orders = await gateway.serve(startRunCommand, ({ run_id, devices, modes, group_id }) => {
      const slots = devices === 'all' ? ['slot01', 'slot02'] : devices
      gateway.givenRun(run(run_id, { slots: slots.map((name) => slot(name)), modes, group_id }))
      return { run_id, slots, warnings: [] }
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
    [{ devices: 'all' }, { devices: 'all' }],
    [{ tia_gain: null }, { tia_gain: null }],
    [{ tia_gain: 'auto' }, { tia_gain: 'auto' }],
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
    [{ modes: ['EIS'], devices: ['slot09'] }, 422, 'jobs.invalid_request'],
  ])('%o is refused with %i %s and nothing is ordered', async (given, status, expected) => {
    expect(codeOf(await post(given))).toEqual([status, expected])
    expect(orders).toEqual([])
  })

  test('with the name of an existing run is a conflict', async () => {
    gateway.givenRun(run('old', { status: 'done' }))
    expect(codeOf(await post({ run_name: 'old' }))).toEqual([409, 'jobs.run_id_conflict'])
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
    gateway.given(device('slot01'))
  })

  test.each([
    [400, new UnknownSlots('No potentiostat is connected at slot09.')],
    [422, new InvalidRunOrder('devices names slot01 twice.')],
    [400, new InvalidName("subdir is '..'.")],
    [409, new RunIdTaken("The run id 'old' is taken.")],
    [422, new InvalidRunParameters('CV: start is missing.')],
    [503, new ServicesSuspended('No run starts now.')],
  ])('are %i for %s', async (status, error) => {
    await gateway.serve(startRunCommand, () => {
      throw error
    })
    expect(await post()).toMatchObject({ status, json: { code: error.code, message: error.message } })
  })

  test('busy slots are 409 and named', async () => {
    await gateway.serve(startRunCommand, () => {
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
    const orders = await gateway.serve(startRunCommand, () => {
      throw new InvalidRunParameters('CV: start is missing.', { details: { errors } })
    })
    expect(await post()).toMatchObject({ status: 422, json: { code: 'jobs.invalid_params', errors } })
    await post()
    expect(orders).toHaveLength(2)
  })

  test('a run that the read models do not show is said to be accepted', async () => {
    await gateway.serve(startRunCommand, ({ run_id }) => ({ run_id, slots: ['slot01'], warnings: [] }))
    expect(codeOf(await post())).toEqual([503, 'projections.behind'])
  })
})

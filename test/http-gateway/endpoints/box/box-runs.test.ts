import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cancelRunCommand } from '../../../../events/potentiostat/commands.js'
import type { ModeReport } from '../../../../events/potentiostat/mode-report.js'
import { run, slot } from '../../support/given-runs.js'
import { codeOf, startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

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
    gateway.givenRun(
      run('r1', {
        modes: ['CA', 'CV', 'EIS'],
        slots: [
          slot('slot01', {
            status: 'running',
            started_at: '2026-01-02T03:04:06.000Z',
            mode_index: 2,
            reports: [report(0), report(1)],
          }),
          slot('slot02', { status: 'running', mode_index: 1, reports: [report(0)] }),
          slot('slot03', { status: 'failed', message: 'unplugged', ended_at: '2026-01-02T03:04:07.000Z' }),
        ],
        progress_pct: 42,
        group_id: 'g',
        warnings: ['of an early log', { code: 'c', message: 'w', mode_index: 0 }],
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
      warnings: [
        { code: 'unspecified', message: 'of an early log', slot: null, mode: null },
        { code: 'c', message: 'w', slot: null, mode: 'CA' },
      ],
    })
  })

  test('a queued run is running here and queued in the list; an ended one keeps its last mode', async () => {
    gateway.givenRun(run('q', { status: 'queued' }))
    gateway.givenRun(
      run('d', {
        started_at: '2026-01-02T02:00:00.000Z',
        modes: ['CV', 'EIS'],
        directory: 'My_Exp/d',
        slots: [
          slot('slot01', {
            status: 'done',
            ended_at: '2026-01-02T02:01:00.000Z',
            reports: [report(0), report(1)],
            files: ['slot01/CV/a.csv'],
          }),
        ],
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
      gateway.givenRun(run(status, { status }))
    }
    gateway.givenRun(
      run('g', { status: 'done', group_id: 'Group One', subdir: 'Grp/A', directory: 'My_Exp/Grp_A/2025' }),
    )
    gateway.givenRun(run('s', { status: 'done', subdir: 'Only Sub' }))
    expect(await ids('?state=incomplete')).toEqual(['running', 'queued'])
    expect(await ids('?state=completed')).toEqual(['s', 'g', 'failed', 'done', 'cancelled'])
    expect(await ids('?group_id=%20group%20one%20')).toEqual(['g'])
    expect(await ids('?group_id=grp_a')).toEqual(['g'])
    expect(await ids('?group_id=Grp/A')).toEqual([])
    expect(await ids('?group_id=only%20sub')).toEqual(['s'])
    expect(await ids('?group_id=none')).toEqual([])
    expect(await ids('?group_id=%20')).toHaveLength(7)
    for (const query of ['?state=', '?state=other']) {
      expect(codeOf(await gateway.get(`/jobs${query}`))).toEqual([422, 'request.validation_error'])
    }
  })

  test('several at once come in the order asked, or not at all when one is unknown', async () => {
    gateway.givenRun(run('a'))
    gateway.givenRun(run('b'))
    const ask = (run_ids: unknown) => gateway.send('POST', '/jobs/status', { run_ids })
    expect(((await ask(['b', '', 'a', 'b'])).json as { run_id: string }[]).map(({ run_id }) => run_id)).toEqual([
      'b',
      'a',
      'b',
    ])
    expect(codeOf(await ask(['', '']))).toEqual([400, 'jobs.missing_run_ids'])
    expect(codeOf(await ask([]))).toEqual([422, 'request.validation_error'])
    expect(codeOf(await ask('a'))).toEqual([422, 'request.validation_error'])
    expect(await ask(Array(1001).fill('a'))).toMatchObject({ status: 422, json: { detail: [{ type: 'too_long' }] } })
    const unknown = await ask(['z', 'a', 'x'])
    expect(codeOf(unknown)).toEqual([404, 'jobs.run_ids_unknown'])
    expect(unknown.json).toMatchObject({ message: expect.stringContaining('x, z') })
  })

  test('GET /jobs/status asks for a run called status', async () => {
    expect(codeOf(await gateway.get('/jobs/status'))).toEqual([404, 'jobs.not_found'])
  })

  test('cancelling orders it once and leaves an ended run alone', async () => {
    gateway.givenRun(run('r'))
    gateway.givenRun(run('d', { status: 'done' }))
    const orders = await gateway.serve(cancelRunCommand, ({ run_id }) => ({ run_id }))
    expect(await gateway.send('POST', '/jobs/r/cancel')).toMatchObject({
      status: 202,
      json: { run_id: 'r', status: 'cancelled' },
    })
    expect(await gateway.send('POST', '/jobs/d/cancel')).toMatchObject({
      status: 202,
      json: { run_id: 'd', status: 'done' },
    })
    expect(codeOf(await gateway.send('POST', '/jobs/x/cancel'))).toEqual([404, 'jobs.not_found'])
    expect(orders).toEqual([{ id: expect.any(String), run_id: 'r' }])
  })
})

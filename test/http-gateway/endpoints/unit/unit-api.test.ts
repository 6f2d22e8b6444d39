// Longer than 300 lines: one gateway for all endpoints of the unit API.

import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NoRoom } from '../../../../events/bioreactor/errors.js'
import { defineJob } from '../../../../events/core/define-job.js'
import { LabError } from '../../../../events/core/errors.js'
import { runJobCommand, stopJobsCommand, updateJobCommand } from '../../../../events/system/commands.js'
import { job, jobOffer, setting, task } from '../../support/given-jobs.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

describe('identity', () => {
  test('health has exactly the three fields of the contract', async () => {
    const { status, headers, json } = await gateway.get('/unit_api/health')
    expect(status).toBe(200)
    expect(json).toEqual({ status: 'ok', pioreactor_unit: 'u1', utc_time: '2026-01-02T03:04:05.000Z' })
    expect(headers.get('cache-control')).toBe('public, max-age=0')
    expect(headers.get('content-type')).toBe('application/json')
  })

  test('health answers 200 and says what is wrong when the log cannot be written and services are gone', async () => {
    gateway.status.value = { writable: false, position: 7, reason: 'disk full', timestamp: '2026-01-02T03:04:05.000Z' }
    await gateway.say('lost')
    const { status, json } = await gateway.get('/unit_api/health')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      status: 'ok',
      degraded: ['The event log cannot be written: disk full.', 'The services are lost.'],
    })
  })

  test('the version is the release whose API this is', async () => {
    const { json, headers } = await gateway.get('/unit_api/versions/app')
    expect(json).toEqual({ version: '26.7.2' })
    expect(headers.get('cache-control')).toBe('public, max-age=30')
  })

  test('capabilities are sorted and carry no keys the contract does not know', async () => {
    const stirring = defineJob({
      name: 'stirring',
      help: 'Stirs.',
      parameters: {
        target_rpm: { schema: Type.Number(), unit: 'RPM', option: true, settable: true, doc: 'Requested.' },
      },
    })
    const odReading = defineJob({ name: 'od_reading', help: 'Reads.', parameters: {} })
    gateway.given(jobOffer(stirring.capability('u1')), jobOffer(odReading.capability('u1')))
    const { json } = await gateway.get('/unit_api/capabilities')
    expect(json).toEqual([
      expect.objectContaining({ job_name: 'od_reading' }),
      {
        job_name: 'stirring',
        help: 'Stirs.',
        arguments: [],
        options: [
          {
            name: 'target_rpm',
            long_flag: 'target-rpm',
            help: 'Requested.',
            required: false,
            multiple: false,
            default: null,
            type: 'float',
          },
        ],
        published_settings: {
          target_rpm: { datatype: 'float', settable: true, unit: 'RPM' },
          $state: { datatype: 'string', settable: true },
        },
        cli_example: 'pio run stirring [OPTIONS]',
      },
    ])
  })
})

describe('task results', () => {
  const poll = (id: string) => gateway.get(`/unit_api/task_results/${id}`)
  const head = (id: string) => ({ task_id: id, result_url_path: `/unit_api/task_results/${id}` })

  test('an unknown id is pending for ever', async () => {
    const { status, json } = await poll('does_not_exist')
    expect(status).toBe(202)
    expect(json).toEqual({ ...head('does_not_exist'), status: 'pending' })
  })

  test('a task that runs is 202, one that succeeded 200 with its result, again and again', async () => {
    gateway.given(task({ status: 'running' }))
    expect(await poll('t')).toMatchObject({ status: 202, json: { status: 'running' } })
    gateway.given(task({ status: 'succeeded', result: { ok: true } }))
    for (const { status, json } of [await poll('t'), await poll('t')]) {
      expect(status).toBe(200)
      expect(json).toEqual({ ...head('t'), status: 'succeeded', result: { ok: true } })
    }
  })

  test('a result that is nothing is null', async () => {
    gateway.given(task({ status: 'succeeded' }))
    expect((await poll('t')).json).toEqual({ ...head('t'), status: 'succeeded', result: null })
  })

  test('a failed task is 200 with the reason, a cause and a remediation', async () => {
    const message = 'Command exited during startup grace window. Exit code 2. No such job.'
    gateway.given(task({ status: 'failed', error: { code: 'job.unknown', family: 'input', message } }))
    const { status, json } = await poll('t')
    expect(status).toBe(200)
    expect(json).toEqual({
      ...head('t'),
      status: 'failed',
      error: message,
      cause: expect.any(String),
      remediation: expect.any(String),
    })
  })
})

describe('job lists', () => {
  const jobs = [
    job({ job_id: 1, job_name: 'monitor', experiment: '$experiment', is_long_running_job: true }),
    job({ job_id: 2, is_running: false, ended_at: '2026-01-02T04:00:00.000Z', state: 'disconnected' }),
    job({ job_id: 3, job_name: 'od_reading', started_at: '2026-01-02T05:00:00.000Z' }),
  ]
  const ids = async (path: string) =>
    ((await gateway.get(path)).json as { job_id: number }[]).map(({ job_id }) => job_id)

  test('are empty before any job ran', async () => {
    for (const path of ['/jobs', '/jobs/running', '/jobs/running/stirring', '/long_running_jobs/running']) {
      expect(await gateway.get(`/unit_api${path}`)).toMatchObject({ status: 200, json: [] })
    }
  })

  test('all jobs come latest first with exactly seven keys', async () => {
    gateway.given(...jobs)
    const { json } = await gateway.get('/unit_api/jobs')
    expect(await ids('/unit_api/jobs')).toEqual([3, 2, 1])
    expect((json as object[]).map((row) => Object.keys(row))).toEqual(
      Array(3).fill(['job_id', 'unit', 'experiment', 'job_name', 'job_source', 'started_at', 'ended_at']),
    )
  })

  test('running jobs come as whole rows with numeric flags, filtered as asked', async () => {
    gateway.given(...jobs)
    expect(await ids('/unit_api/jobs/running')).toEqual([1, 3])
    expect(await ids('/unit_api/jobs/running/od_reading')).toEqual([3])
    expect(await ids('/unit_api/jobs/running/stirring')).toEqual([])
    expect(await ids('/unit_api/jobs/running/experiments/%24experiment')).toEqual([1])
    const { json } = await gateway.get('/unit_api/long_running_jobs/running')
    expect(json).toEqual([
      {
        job_id: 1,
        unit: 'u1',
        experiment: '$experiment',
        job_name: 'monitor',
        job_source: 'user',
        started_at: '2026-01-02T03:04:05.000Z',
        ended_at: null,
        is_running: 1,
        leader: 'u1',
        pid: 12,
        is_long_running_job: 1,
      },
    ])
  })
})

describe('starting a job', () => {
  const start = '/unit_api/jobs/run/job_name/stirring'

  test.each(['POST', 'PATCH'])('%s passes the order on and answers with a task', async (method) => {
    const orders = await gateway.serve(runJobCommand, () => ({ task_id: 'any' }))
    const { status, json } = await gateway.send(method, start, {
      options: { target_rpm: '200', flag: null },
      env: { JOB_SOURCE: 'api', EXPERIMENT: 'exp1', HARDWARE: '', DEBUG: 'None', PATH: '/bin' },
      args: ['some-flag'],
      config_overrides: [['stirring.config', 'pwm_hz', '100']],
      unknown: 1,
    })
    const [order] = orders
    expect(status).toBe(202)
    expect(json).toEqual({
      unit: 'u1',
      task_id: order?.['id'],
      result_url_path: `/unit_api/task_results/${order?.['id']}`,
      status: 'accepted',
    })
    expect(order).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      job_name: 'stirring',
      options: { target_rpm: '200', flag: null },
      env: { JOB_SOURCE: 'api', EXPERIMENT: 'exp1' },
      args: ['some-flag'],
      config_overrides: [['stirring.config', 'pwm_hz', '100']],
    })
  })

  test('a dose that has no room is refused itself, in the words that clients know', async () => {
    const message = 'Requested dose would meet or exceed the reactor safety threshold.'
    const cause = 'ml adds 6.000 mL to 12.000 mL; the vial may hold less than 18 mL.'
    await gateway.serve(runJobCommand, () => {
      throw new NoRoom(message, { details: { cause } })
    })
    const { status, json } = await gateway.send('POST', '/unit_api/jobs/run/job_name/add_media', { options: { ml: 6 } })
    expect([status, json]).toEqual([400, { error: message, cause, remediation: expect.any(String), status: 400 }])
    expect([...gateway.broker.retained.keys()].filter((topic) => topic.includes('/tasks/'))).toEqual([])
  })

  test('a refusal of the service is the failure of the task, not of the request', async () => {
    await gateway.serve(runJobCommand, () => {
      throw new LabError('job.unknown', 'input', 'nope is not a job.')
    })
    const { status, json } = await gateway.send('POST', '/unit_api/jobs/run/job_name/nope', {})
    expect(status).toBe(202)
    expect(json).toMatchObject({ status: 'accepted' })
  })

  test('when the services take nothing because the log is full, the request fails with 503', async () => {
    await gateway.serve(runJobCommand, () => {
      throw new LabError('log.unavailable', 'state', 'The log is full.')
    })
    const { status, json } = await gateway.send('POST', start, {})
    expect(status).toBe(503)
    expect(json).toEqual({ error: 'The log is full.', cause: 'The log is full.', status: 503 })
  })

  test('without an answer it is 503 with a remediation', async () => {
    const { status, json } = await gateway.send('POST', start, {})
    expect(status).toBe(503)
    expect(json).toMatchObject({ status: 503, error: expect.any(String), remediation: expect.any(String) })
  })

  test('a second start of the same name within a second is 429, even when the first had a bad body; other names pass', async () => {
    await gateway.serve(runJobCommand, () => ({ task_id: 'any' }))
    expect((await gateway.send('POST', start, '{')).status).toBe(400)
    await gateway.clock.advance(999)
    const { status, json, headers } = await gateway.send('POST', start, {})
    expect(status).toBe(429)
    expect(json).toEqual({ error: expect.any(String), cause: expect.any(String), status: 429 })
    expect(headers.get('retry-after')).toBeNull()
    expect((await gateway.send('POST', '/unit_api/jobs/run/job_name/od_reading', {})).status).toBe(202)
    await gateway.clock.advance(1)
    expect((await gateway.send('POST', start, {})).status).toBe(202)
  })

  test('an order too large for the broker is refused with 413 before anything is sent', async () => {
    const { status } = await gateway.send('POST', start, { options: { text: 'x'.repeat(1_000_000) } })
    expect(status).toBe(413)
    expect(gateway.broker.published).toEqual([])
  })
})

describe('stopping jobs', () => {
  test.each([
    [{ job_name: 'stirring' }, { job_name: 'stirring' }],
    [
      { job_name: 'stirring', experiment: 'exp1', job_source: null, job_id: '12' },
      { job_name: 'stirring', experiment: 'exp1', job_id: 12 },
    ],
    [{ job_id: 3 }, { job_id: 3 }],
  ])('%o stops %o', async (body, filters) => {
    const orders = await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    const { status, json } = await gateway.send('PATCH', '/unit_api/jobs/stop', body)
    expect(status).toBe(202)
    expect(json).toMatchObject({ unit: 'u1', status: 'accepted' })
    expect(orders).toEqual([{ id: expect.any(String), ...filters }])
  })

  test.each([{}, { job_name: '' }, { job_id: 0 }, { experiment: null }])('%o names no filter', async (body) => {
    const { status, json } = await gateway.send('POST', '/unit_api/jobs/stop', body)
    expect(status).toBe(400)
    expect(json).toEqual({ error: expect.stringContaining('No filter'), cause: expect.any(String), status: 400 })
  })

  test.each(['', 'garbage', '{}'])('all jobs are stopped whatever the body %o', async (body) => {
    const orders = await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    expect((await gateway.send('POST', '/unit_api/jobs/stop/all', body)).status).toBe(202)
    expect(orders).toEqual([{ id: expect.any(String), all: true }])
  })
})

describe('job settings', () => {
  const settings = '/unit_api/jobs/settings/job_name/stirring'

  test('are those of the running job', async () => {
    gateway.given(job(), setting('target_rpm', '500'), setting('$state', 'ready'))
    expect((await gateway.get(settings)).json).toEqual({ settings: { target_rpm: 500, $state: 'ready' } })
    expect((await gateway.get(`${settings}/setting/target_rpm`)).json).toEqual({ target_rpm: 500 })
    expect((await gateway.get(`${settings}/setting/%24state`)).json).toEqual({ $state: 'ready' })
  })

  test('are 404 when the job does not run or has no such setting', async () => {
    expect(await gateway.get(settings)).toMatchObject({ status: 404, json: { status: 404 } })
    gateway.given(job(), setting('target_rpm', '500'))
    for (const setting of ['nope', 'constructor', '__proto__']) {
      expect(await gateway.get(`${settings}/setting/${setting}`)).toMatchObject({ status: 404, json: { status: 404 } })
    }
  })

  test('change through the service', async () => {
    const orders = await gateway.serve(updateJobCommand, () => ({ target_rpm: 600 }))
    const { status, json } = await gateway.send('PATCH', settings, { settings: { target_rpm: 600 } })
    expect([status, json]).toEqual([200, { status: 'success' }])
    expect(orders).toEqual([{ id: expect.any(String), job_name: 'stirring', settings: { target_rpm: 600 } }])
  })

  test.each([
    ['input.invalid', 400],
    ['setting.unknown', 400],
    ['setting.read_only', 400],
    ['job.not_running', 404],
  ])('a refusal with %s is %i and repeats what the service said', async (code, expected) => {
    await gateway.serve(updateJobCommand, () => {
      throw new LabError(code, 'input', 'target_rpm is -1 RPM; it must be at least 0 RPM.')
    })
    const { status, json } = await gateway.send('PATCH', settings, { settings: { target_rpm: -1 } })
    expect(status).toBe(expected)
    expect(json).toEqual({
      error: 'target_rpm is -1 RPM; it must be at least 0 RPM.',
      cause: 'target_rpm is -1 RPM; it must be at least 0 RPM.',
      status: expected,
    })
  })

  test('a change is visible once it is answered: the answer waits for the projections', async () => {
    gateway.given(job(), setting('target_rpm', '500'))
    await gateway.serve(updateJobCommand, () => {
      gateway.log.append(setting('target_rpm', '600'))
      return { target_rpm: 600 }
    })
    const { position } = gateway.readModels
    let polls = 0
    gateway.readModels.position = () => {
      if (++polls === 3) gateway.fold()
      return position()
    }
    await gateway.send('PATCH', settings, { settings: { target_rpm: 600 } })
    expect((await gateway.get(`${settings}/setting/target_rpm`)).json).toEqual({ target_rpm: 600 })
  })
})

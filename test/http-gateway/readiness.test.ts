import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { timestampOf } from '../../events/core/timestamp.js'
import { startRunCommand } from '../../events/potentiostat/commands.js'
import { runJobCommand, stopJobsCommand } from '../../events/system/commands.js'
import type { TaskRecord } from '../../events/system/tasks.js'
import { createPendingTasks } from '../../http-gateway/pending-tasks.js'
import { followServices } from '../../http-gateway/service-presence.js'
import { until } from '../support/until.js'
import { codeOf, startTestGateway, type TestGateway } from './support/start-test-gateway.js'

/** Position below which read models are of yesterday. */
let floor: number | null
let gateway: TestGateway

beforeEach(async () => {
  floor = 0
  gateway = await startTestGateway({ floor: () => floor, isStarting: () => floor !== 0 })
})
afterEach(() => gateway.stop())

const task = (id: string): TaskRecord =>
  JSON.parse(gateway.broker.retained.get(`system/u1/tasks/${id}`)?.toString() ?? 'null') as TaskRecord

const startStirring = async (): Promise<string> => {
  const { status, json } = await gateway.send('POST', '/unit_api/jobs/run/job_name/stirring', {})
  expect(status).toBe(202)
  return (json as { task_id: string }).task_id
}

describe('before the log is open', () => {
  beforeEach(() => {
    floor = null
  })

  test('health answers at once and says that the unit starts', async () => {
    const { status, json } = await gateway.get('/unit_api/health')
    expect(status).toBe(200)
    expect(json).toMatchObject({ status: 'ok', starting: true, degraded: ['The event log is being opened.'] })
    expect((await gateway.get('/health')).json).toMatchObject({ ok: true, devices: 0 })
  })

  test.each(['/unit_api/jobs/running', '/jobs', '/runs/r1/files', '/modes', '/unit_api/capabilities'])(
    '%s is asked for again later',
    async (path) => {
      const { status, headers } = await gateway.get(path)
      expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    },
  )
})

describe('while a long log is folded', () => {
  beforeEach(() => {
    floor = gateway.log.lastPosition() + 2
  })

  test('reads are not answered with yesterday', async () => {
    expect(await gateway.get('/unit_api/jobs/running')).toMatchObject({ status: 503 })
    expect(codeOf(await gateway.get('/jobs'))).toEqual([503, 'read_models.not_ready'])
  })

  test('runs are not told of before their files are written', async () => {
    const own = await startTestGateway({ areFilesWritten: () => false })
    expect(codeOf(await own.get('/jobs'))).toEqual([503, 'read_models.not_ready'])
    expect(await own.get('/unit_api/jobs')).toMatchObject({ status: 200 })
    expect((await own.get('/unit_api/health')).json).toMatchObject({ degraded: [expect.stringContaining('run files')] })
    await own.stop()
  })

  test('health tells how far it is, and ends with it', async () => {
    const { json } = await gateway.get('/unit_api/health')
    expect(json).toMatchObject({ degraded: [expect.stringMatching(/read models.*1 of 3 events/)] })
    gateway.given({ topic: 'a' }, { topic: 'b' })
    expect((await gateway.get('/unit_api/health')).json).not.toHaveProperty('degraded')
  })

  test('a read that waits is answered when it is done', async () => {
    const answer = gateway.get('/unit_api/jobs/running')
    gateway.given({ topic: 'a' }, { topic: 'b' })
    expect(await answer).toMatchObject({ status: 200, json: [] })
  })

  test('a task is pending rather than lost, and orders are given', async () => {
    const orders = await gateway.serve(runJobCommand, () => ({ task_id: 'any' }))
    const id = await startStirring()
    expect(orders).toMatchObject([{ id }])
    expect(await gateway.get(`/unit_api/task_results/${id}`)).toMatchObject({
      status: 202,
      json: { status: 'pending' },
    })
  })

  test('read models of another log do not count', async () => {
    gateway.given({ topic: 'a' }, { topic: 'b' })
    const ahead = await gateway.readModels.position()
    const other = await startTestGateway({
      readModels: gateway.readModels,
      log: { lastPosition: () => ahead - 1 },
      floor: () => 1,
    })
    expect(await other.get('/unit_api/jobs')).toMatchObject({ status: 503 })
    await other.stop()
  })
})

describe('while the services are not there', () => {
  beforeEach(() => gateway.say('lost'))

  test('reads that need them wait a little, then are asked for again in the words of either API', async () => {
    const unit = await gateway.get('/unit_api/capabilities')
    expect([unit.status, unit.headers.get('retry-after')]).toEqual([503, '1'])
    const box = await gateway.get('/devices')
    expect([...codeOf(box), box.headers.get('retry-after')]).toEqual([503, 'services.not_ready', '1'])
  })

  test('reads that need them are answered when they come in time', async () => {
    const answer = gateway.get('/devices')
    await gateway.say('ready')
    expect(await answer).toMatchObject({ status: 200, json: [] })
  })

  test('an order to a potentiostat is refused in time, and not given later', async () => {
    const orders = await gateway.serve(startRunCommand, () => expect.fail('ordered'))
    const body = {
      devices: 'all',
      modes: ['CA'],
      params_by_mode: { CA: {} },
      experiment_name: 'e',
      client_datetime: 't',
    }
    expect(codeOf(await gateway.send('POST', '/jobs', body))).toEqual([503, 'services.not_ready'])
    await gateway.say('ready')
    expect(orders).toEqual([])
  })

  test('a job start is a task at once, and is carried out once when they are there', async () => {
    const orders = await gateway.serve(runJobCommand, () => ({ task_id: 'any' }))
    const id = await startStirring()
    expect(task(id)).toMatchObject({ status: 'pending', name: 'run_job' })
    expect(orders).toEqual([])
    await gateway.say('ready')
    await until(() => orders.length > 0, 'the order')
    await gateway.say('suspended')
    await gateway.say('ready')
    expect(orders).toMatchObject([{ id, job_name: 'stirring' }])
  })

  test('a task that they do not take although they are there has failed', async () => {
    const id = await startStirring()
    await gateway.say('ready')
    await until(() => task(id).status === 'failed', 'the failure')
    expect(task(id).error).toMatchObject({ code: 'services.no_answer' })
  })

  test('a task does not outlive the gateway', async () => {
    const id = await startStirring()
    const own = gateway
    gateway = await startTestGateway()
    await own.stop()
    const record = JSON.parse(own.broker.retained.get(`system/u1/tasks/${id}`)?.toString() ?? '') as TaskRecord
    expect(record).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('not carried out') } })
  })

  test('a task for which they never come has failed within the bound', async () => {
    const { bus, unit, clock, logger, readModels, log } = gateway.deps
    const services = followServices(bus, unit, () => log.lastPosition())
    const tasks = createPendingTasks({ bus, unit, clock, logger, readModels, services }, 20)
    await tasks.accept('t1', stopJobsCommand, { all: true })
    await until(() => task('t1').status === 'failed', 'the failure')
    expect(task('t1')).toMatchObject({ error: { code: 'services.not_ready' }, timestamp: timestampOf(clock.now()) })
  })
})

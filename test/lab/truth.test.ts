import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { matchesFilter } from '../../events/topic.js'
import { outputsOn } from '../support/bench-outputs.js'
import { freePort } from '../support/free-port.js'
import { createLabHome, type Lab, type LabHome, READY } from '../support/start-lab.js'
import { until } from '../support/until.js'

let home: LabHome
let ports: Record<string, string>

beforeEach(async () => {
  home = createLabHome()
  ports = { HTTP_PORT: await freePort(), MQTT_PORT: await freePort() }
})
afterEach(() => home.remove())

interface Run {
  readonly status: string
  readonly ended_at: string | null
  readonly progress_pct: number
  readonly slots: readonly { readonly message: string | null }[]
}

interface Health {
  readonly degraded?: readonly string[]
}

/** Stirring, readings with their LED, and a measurement that has produced something. */
async function startWork(lab: Lab): Promise<string> {
  for (const job of ['stirring', 'od_reading']) {
    await lab.send('POST', `/unit_api/jobs/run/job_name/${job}`, { env: { EXPERIMENT: 'truth' } })
  }
  const { body } = await lab.send<{ run_id: string }>('POST', '/jobs', {
    devices: 'all',
    modes: ['CA'],
    params_by_mode: { CA: { potential: 0.3, duration: 60 } },
    tia_gain: 1,
    experiment_name: 'truth',
    client_datetime: '2026-01-01T00-00-00',
    make_plot: false,
  })
  await until(async () => (await lab.get<Run>(`/jobs/${body.run_id}`)).progress_pct > 3, 'progress')
  await until(() => outputsOn(lab.home).some((on) => on.startsWith('pwm 17')), 'the stirrer')
  return body.run_id
}

/** When the last sample of the run was taken, by its events. */
function lastSampleOf(runId: string): string {
  const log = openEventLogReader(join(home.home, 'event-log.db'))
  try {
    const ends = log.retained(`potentiostat/+/${runId}/+/samples`).map(({ payload }) => {
      const { timestamp, current } = JSON.parse(Buffer.from(payload).toString()) as {
        readonly timestamp: string
        readonly current: readonly number[]
      }
      return Date.parse(timestamp) + (current.length - 1) * periodOf(log, runId) * 1000
    })
    return timestampOf(new Date(Math.max(...ends)))
  } finally {
    log.close()
  }
}

function periodOf(log: ReturnType<typeof openEventLogReader>, runId: string): number {
  const [order] = log.retained(`potentiostat/+/${runId}/order`)
  const { average, period_s } = JSON.parse(Buffer.from(order?.payload ?? '').toString()) as {
    readonly average: number
    readonly period_s: number
  }
  return average * period_s
}

/** Asks for a path again and again, from before anybody listens until it is told to stop; remembers every answer. */
function askWithoutEnd<T>(path: string) {
  const answers: { readonly status: number; readonly body: T }[] = []
  let stopped = false
  const ask = async (): Promise<void> => {
    while (!stopped) {
      try {
        const response = await fetch(`http://127.0.0.1:${ports['HTTP_PORT']}${path}`)
        answers.push({ status: response.status, body: (await response.json()) as T })
      } catch {
        // Nobody listens yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const asking = ask()
  return {
    answers,
    async stop() {
      stopped = true
      await asking
      return answers.filter(({ status }) => status === 200).map(({ body }) => body)
    },
  }
}

/** Connects as soon as a broker listens. */
async function firstConnection(): Promise<MqttClient> {
  for (;;) {
    const client = await connectAsync(`mqtt://127.0.0.1:${ports['MQTT_PORT']}`, { reconnectPeriod: 0 }).catch(
      () => null,
    )
    if (client !== null) return client
  }
}

/** Collects every message of the filters, the retained ones first. */
async function listen(client: MqttClient, ...filters: readonly string[]): Promise<Map<string, string[]>> {
  const heard = new Map<string, string[]>()
  client.on('message', (topic, payload) => heard.set(topic, [...(heard.get(topic) ?? []), payload.toString()]))
  await client.subscribeAsync([...filters])
  return heard
}

const JOB = 'pioreactor/lab/truth'

it('after a kill of everything nobody is ever told that the dead are at work', async () => {
  const lab = await home.start(ports)
  const runId = await startWork(lab)
  const before = await lab.get<Run>(`/jobs/${runId}`)
  await lab.killAll()
  await until(() => outputsOn(lab.home).length === 0, 'safe outputs')
  const end = lastSampleOf(runId)

  const health = askWithoutEnd<Health>('/unit_api/health')
  const running = askWithoutEnd<unknown[]>('/unit_api/jobs/running/experiments/truth')
  const run = askWithoutEnd<Run>(`/jobs/${runId}`)
  const unit = home.launch(ports)
  const client = await firstConnection()
  const heard = await listen(
    client,
    'pioreactor/#',
    'system/#',
    `potentiostat/+/${runId}/+/state`,
    'potentiostat/+/$devices/+',
  )
  await until(() => unit.output().includes(READY), 'the whole unit', 60_000)
  await client.endAsync()

  await until(() => health.answers.at(-1)?.body.degraded === undefined, 'a whole unit')
  const told = await health.stop()
  expect(told[0]).toMatchObject({ status: 'ok', starting: true, degraded: expect.any(Array) })
  const whole = told.findIndex(({ degraded }) => degraded === undefined)
  expect(told.slice(whole).every(({ degraded }) => degraded === undefined)).toBe(true)
  expect(new Set((await running.stop()).map((jobs) => jobs.length))).toEqual(new Set([0]))
  for (const state of await run.stop()) {
    expect(state).toMatchObject({ status: 'failed', ended_at: end })
    expect(state.progress_pct).toBeGreaterThanOrEqual(before.progress_pct)
    expect(state.progress_pct).toBeLessThan(100)
  }
  expect(heard.get(`${JOB}/stirring/$state`)).toEqual(['lost'])
  expect(heard.get(`${JOB}/od_reading/$state`)).toEqual(['lost'])
  expect([...heard.keys()].filter((topic) => topic.startsWith(`${JOB}/stirring/`))).toEqual([`${JOB}/stirring/$state`])
  expect(heard.get(`${JOB}/pwms/dc`)).toEqual(['{}'])
  expect(JSON.parse(heard.get(`${JOB}/leds/intensity`)?.[0] ?? '')).toEqual({ A: 0, B: 0, C: 0, D: 0 })
  const states = (heard.get('system/lab/service') ?? []).map((text) => (JSON.parse(text) as { state: string }).state)
  expect(states[0]).toMatch(/lost|starting/)
  expect(states.at(-1)).toBe('ready')
  for (const [topic, [first]] of heard) if (topic.endsWith('/state')) expect(first).toContain('"failed"')
  expect(await unit.interrupt()).toBe(0)
}, 120_000)

it('when the services alone die, what they left on is told as off before others take their place', async () => {
  const lab = await home.start(ports)
  const runId = await startWork(lab)
  const client = await firstConnection()
  const heard = await listen(client, `${JOB}/#`, 'system/lab/service', 'system/lab/safe_state', 'system/lab/jobs/+')
  const last = (topic: string): string => heard.get(topic)?.at(-1) ?? ''
  await until(() => last(`${JOB}/pwms/dc`).includes('17'), 'a pin that is on')
  process.kill(lab.servicesPid(), 'SIGKILL')
  await until(() => last('system/lab/service').includes('"lost"'), 'the death to be noticed')
  await until(() => !last('system/lab/service').includes('"lost"'), 'the next services')
  expect(last(`${JOB}/pwms/dc`)).toBe('{}')
  expect(JSON.parse(last(`${JOB}/leds/intensity`))).toEqual({ A: 0, B: 0, C: 0, D: 0 })
  expect(last(`${JOB}/stirring/duty_cycle`)).toBe('')
  expect(last(`${JOB}/stirring/$state`)).toBe('lost')
  const records = [...heard].flatMap(([topic, texts]) => (topic.startsWith('system/lab/jobs/') ? texts : []))
  const interrupted = records.filter((text) => text.includes('"interrupted":true'))
  expect(interrupted.some((text) => text.includes('"job_name":"stirring"'))).toBe(true)
  expect(JSON.parse(last('system/lab/safe_state'))).toMatchObject({ safe: true })
  expect(await lab.get('/unit_api/jobs/running/experiments/truth')).toEqual([])
  const run = await lab.get<Run>(`/jobs/${runId}`)
  expect(run).toMatchObject({ status: 'failed', ended_at: lastSampleOf(runId) })
  expect(run.progress_pct).toBeLessThan(100)
  await client.endAsync()
  expect(await lab.interrupt()).toBe(0)
}, 120_000)

/** Orders a job as soon as somebody takes the order. @returns the task's id */
async function startStirringEarly(): Promise<string> {
  let id: string | undefined
  await until(async () => {
    const url = `http://127.0.0.1:${ports['HTTP_PORT']}/unit_api/jobs/run/job_name/stirring`
    const response = await fetch(url, { method: 'POST', body: '{}' }).catch(() => null)
    if (response?.status !== 202) return false
    id = ((await response.json()) as { task_id: string }).task_id
    return true
  }, 'an accepted task')
  return id ?? ''
}

/** Everything the log holds of the topics, in order. */
function recorded(filter: string): readonly { readonly topic: string; readonly status?: string }[] {
  const log = openEventLogReader(join(home.home, 'event-log.db'))
  try {
    return log
      .read({ after: 0, limit: 10_000 })
      .filter(({ topic }) => matchesFilter(filter, topic))
      .map(({ topic, payload }) => ({ ...(JSON.parse(Buffer.from(payload).toString()) as object), topic }))
  } finally {
    log.close()
  }
}

it('a job that is ordered before the services are there is a task at once, and starts once', async () => {
  const unit = home.launch(ports)
  const id = await startStirringEarly()
  expect(unit.output()).not.toContain(READY)
  const status = () => recorded(`system/lab/tasks/${id}`).map((task) => task.status)
  await until(
    () => status().at(-1) === 'succeeded',
    () => `the task to succeed, but it was ${status()}`,
  )
  expect(status()).toEqual(['pending', 'running', 'succeeded'])
  expect(recorded('system/lab/commands/run_job')).toHaveLength(1)
  expect(outputsOn(home.home)).toContainEqual(expect.stringMatching(/^pwm 17/))
  expect(await unit.interrupt()).toBe(0)
}, 120_000)

it('a task accepted right before everything is killed has failed afterwards, and is not carried out', async () => {
  const unit = home.launch(ports)
  const id = await startStirringEarly()
  process.kill(-Number(unit.main.pid), 'SIGKILL')
  await unit.exited()
  const lab = await home.start(ports)
  expect(recorded(`system/lab/tasks/${id}`).map(({ status }) => status)).toEqual(['pending', 'failed'])
  expect(await lab.get(`/unit_api/task_results/${id}`)).toMatchObject({ status: 'failed' })
  expect(recorded('system/lab/commands/run_job')).toEqual([])
  const jobs = await lab.get<{ job_name: string }[]>('/unit_api/jobs')
  expect(jobs.filter(({ job_name }) => job_name === 'stirring')).toEqual([])
  expect(await lab.interrupt()).toBe(0)
}, 120_000)

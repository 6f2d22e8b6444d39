import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orderBench } from '../../simulation/bench-control.js'
import type { VialTruth } from '../../simulation/bioreactor/truth.js'
import { benchOf, outputsOn, readOutputs } from '../support/bench-outputs.js'
import { watch } from '../support/event-watch.js'
import { eventually } from '../support/eventually.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

interface Accepted {
  readonly task_id: string
  readonly result_url_path: string
  readonly unit: string
  readonly status: string
}
interface TaskAnswer {
  readonly status: string
  readonly result?: unknown
  readonly error?: string
}

const home = createLabHome()
const STIRRING_PIN = '17'
let lab: Lab
let events: Awaited<ReturnType<typeof watch>>

beforeAll(async () => {
  lab = await home.start({ SIMULATION_SPEED: '10', SIMULATED_POTENTIOSTATS: '0' })
  events = await watch(await lab.connect(), 'pioreactor/#')
})
afterAll(() => home.remove())

const topic = (rest: string): string => `pioreactor/lab/growth 7/${rest}`

async function finished({ result_url_path }: Accepted): Promise<TaskAnswer> {
  let answer: TaskAnswer = { status: 'pending' }
  await until(async () => {
    answer = await lab.get<TaskAnswer>(result_url_path)
    return answer.status === 'succeeded' || answer.status === 'failed'
  }, 'the task to end')
  return answer
}

const run = async (job: string, options: Record<string, string> = {}): Promise<TaskAnswer> => {
  const { status, body } = await lab.send<Accepted>('POST', `/unit_api/jobs/run/job_name/${job}`, {
    options,
    env: { EXPERIMENT: 'growth 7', JOB_SOURCE: 'api' },
    args: [],
    config_overrides: [],
  })
  expect(status).toBe(202)
  expect(body).toMatchObject({ unit: 'lab', status: 'accepted' })
  return finished(body)
}

it('says that its hardware is simulated, and warns of nothing', () => {
  expect(lab.output()).toContain('SIMULATED hardware')
  expect(
    lab
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{') && !line.includes('"level":30')),
  ).toEqual([])
})

it('answers health with the contract’s fields', async () => {
  const { utc_time, ...rest } = await lab.get<{ utc_time: string }>('/unit_api/health')
  expect(rest).toEqual({ status: 'ok', pioreactor_unit: 'lab' })
  expect(utc_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

it('a pump that was started by REST moves what its events and the account say', async () => {
  const truth = async () => (await orderBench(benchOf(lab.home), 'truth')) as VialTruth
  const before = (await truth()).media_in_ml
  expect(await run('add_media', { duration: '15' })).toMatchObject({ status: 'succeeded' })
  await events.first('add_media/$state', (text) => text === 'disconnected')
  const doses = events
    .texts('dosing_events')
    .map((text) => (JSON.parse(text) as { volume_change: number }).volume_change)
  const told = doses.reduce((sum, ml) => sum + ml, 0)
  expect(told).toBeGreaterThan(1.3)
  expect(Math.abs((await truth()).media_in_ml - before - told)).toBeLessThan(0.1)
  const added = events.texts('bioreactor/cumulative_media_added_ml').at(-1)
  expect(Number(added)).toBeCloseTo(told, 6)
})

describe('stirring', () => {
  const rpm = (text: string): number => (JSON.parse(text) as { measured_rpm: number }).measured_rpm

  it('starts by REST, and is ready', async () => {
    expect(await run('stirring', { target_rpm: '400' })).toMatchObject({ status: 'succeeded', result: { ok: true } })
    await events.first('stirring/$state', (text) => text === 'ready')
    expect(events.texts('stirring/$state')).toEqual(['init', 'ready'])
    const running = (): Promise<object[]> => lab.get<object[]>('/unit_api/jobs/running/stirring')
    await until(async () => (await running()).length === 1, 'the job to be listed')
    expect(await running()).toMatchObject([
      { job_name: 'stirring', experiment: 'growth 7', job_source: 'api', is_running: 1, unit: 'lab', ended_at: null },
    ])
    expect(readOutputs(benchOf(lab.home)).pwm[STIRRING_PIN]).toBeGreaterThan(0)
  })

  it('is driven towards the speed asked for', { timeout: 90_000 }, async () => {
    const first = rpm(await events.first('stirring/measured_rpm', (text) => rpm(text) > 0))
    await events.first('stirring/measured_rpm', (text) => Math.abs(rpm(text) - 400) < Math.abs(first - 400) - 5)
    const client = await lab.connect()
    await client.publishAsync(topic('stirring/target_rpm/set'), '600', { qos: 1 })
    await events.first('stirring/target_rpm', (text) => text === '600')
    await events.first('stirring/measured_rpm', (text) => rpm(text) > first + 5)
    expect(await lab.get('/unit_api/jobs/settings/job_name/stirring/setting/target_rpm')).toEqual({ target_rpm: 600 })
    await client.endAsync()
  })

  it('refuses a bad setting, says why, and turns on as before', async () => {
    const client = await lab.connect()
    for (const bad of ['abc', '-5', '99999', 'nan']) {
      await client.publishAsync(topic('stirring/target_rpm/set'), bad, { qos: 1 })
    }
    await until(
      () => events.texts('target_rpm/set/outcome').filter((text) => text.includes('"accepted":false')).length === 4,
      'refusals',
    )
    expect(events.texts('target_rpm/set/outcome').at(-2)).toContain('99999 RPM')
    expect(await lab.get('/unit_api/jobs/settings/job_name/stirring/setting/target_rpm')).toEqual({ target_rpm: 600 })
    await client.endAsync()
  })

  it('ignores a retained order', async () => {
    const client = await lab.connect()
    await client.publishAsync(topic('stirring/target_rpm/set'), '50', { qos: 1, retain: true })
    const { body } = await lab.send('PATCH', '/unit_api/jobs/settings/job_name/stirring', {
      settings: { target_rpm: 500 },
    })
    expect(body).toEqual({ status: 'success' })
    expect(await lab.get('/unit_api/jobs/settings/job_name/stirring/setting/target_rpm')).toEqual({ target_rpm: 500 })
    expect(events.texts('stirring/target_rpm')).not.toContain('50')
    await client.endAsync()
  })

  it('is refused a second time, undisturbed', async () => {
    const before = events.texts('stirring/$state').length
    expect(await run('stirring')).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^Command exited during startup grace window\. Exit code \d+\./),
    })
    expect(events.texts('stirring/$state')).toHaveLength(before)
  })

  it('measures what the bench does: a bar that is held stands still, and turns again when it is let go', async () => {
    const order = (words: string): Promise<unknown> => orderBench(benchOf(lab.home), words)
    const truth = async (): Promise<VialTruth> => (await order('truth')) as VialTruth
    const nextRpm = async (isMeant: (rpm: number) => boolean): Promise<void> => {
      const before = events.texts('stirring/measured_rpm').length
      const measured = (): readonly number[] => events.texts('stirring/measured_rpm').slice(before).map(rpm)
      await until(() => measured().some(isMeant), 'the speed to change', 30_000)
    }
    expect((await truth()).rpm).toBeGreaterThan(300)
    await order('fault stirrer_stalled')
    await eventually(async () => expect((await truth()).rpm).toBeLessThan(300))
    await nextRpm((measured) => measured === 0)
    await order('mend')
    await nextRpm((measured) => measured > 300)
    expect(Math.abs((await truth()).rpm - 500)).toBeLessThan(150)
  })

  it('stops by REST, with the motor off', async () => {
    const { status, body } = await lab.send<Accepted>('POST', '/unit_api/jobs/stop', { job_name: 'stirring' })
    expect(status).toBe(202)
    expect(await finished(body)).toMatchObject({ status: 'succeeded', result: true })
    await events.first('stirring/$state', (text) => text === 'disconnected')
    await until(() => outputsOn(lab.home).length === 0, 'outputs off')
    expect(await lab.get('/unit_api/jobs/running/experiments/growth%207')).toEqual([])
    const ofUnit = await lab.get<{ job_name: string }[]>('/unit_api/long_running_jobs/running')
    expect(ofUnit.map(({ job_name }) => job_name).sort()).toEqual(['monitor', 'mqtt_to_db_streaming'])
  })
})

it('tells what it and its computer are, without being asked', async () => {
  let settings: Record<string, unknown> = {}
  await until(async () => {
    settings = (await lab.get<{ settings: typeof settings }>('/unit_api/jobs/settings/job_name/monitor')).settings
    return 'voltage_on_pwm_rail' in settings
  }, 'the first check of the unit')
  expect(settings).toMatchObject({ $state: 'ready', button_down: 0 })
  expect(Object.keys(settings)).toEqual(
    expect.arrayContaining(['computer_statistics', 'eth_mac_address', 'ipv4', 'versions', 'wlan_mac_address']),
  )
  expect(JSON.stringify(settings['versions'])).toContain('26.7.2')
})

describe('od_reading', () => {
  interface Reading {
    readonly timestamp: string
    readonly ods: Readonly<
      Record<string, { od: number; angle: string; channel: string; calibrated: number; ir_led_intensity: number }>
    >
  }

  it('publishes one reading per interval, and readings rise while the culture grows', {
    timeout: 120_000,
  }, async () => {
    expect(await run('od_reading')).toMatchObject({ status: 'succeeded' })
    await until(() => events.texts('od_reading/ods').length >= 24, '24 readings', 90_000)
    const readings = events.texts('od_reading/ods').map((text) => JSON.parse(text) as Reading)
    expect(readings[0]?.ods['2']).toMatchObject({ angle: '90', channel: '2', calibrated: 0, ir_led_intensity: 80 })
    const times = readings.map(({ timestamp }) => Date.parse(timestamp))
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]
    expect(Math.round(Number(median) / 1000)).toBe(5)
    const mean = (part: readonly Reading[]): number =>
      part.reduce((sum, { ods }) => sum + (ods['2']?.od ?? 0), 0) / part.length
    expect(mean(readings.slice(-8))).toBeGreaterThan(mean(readings.slice(0, 8)))
  })

  it('lights its LED only while it reads, and not after its end', async () => {
    const { body } = await lab.send<Accepted>('POST', '/unit_api/jobs/stop/all', {})
    expect(await finished(body)).toMatchObject({ status: 'succeeded' })
    await until(() => outputsOn(lab.home).length === 0, 'outputs off')
  })
})

it('leaves on Ctrl-C within 5 s, exit code 0, every output off', async () => {
  await run('stirring')
  await until(() => outputsOn(lab.home).length > 0, 'the motor to turn')
  const started = performance.now()
  expect(await lab.interrupt()).toBe(0)
  expect(performance.now() - started).toBeLessThan(5000)
  expect(outputsOn(lab.home)).toEqual([])
})

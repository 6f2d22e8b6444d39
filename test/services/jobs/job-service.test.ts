import { afterEach, describe, expect, test } from 'vitest'
import { stopJobsCommand, updateJobCommand } from '../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { FakeBioreactor } from '../../support/fake-bioreactor.js'
import { give } from '../../support/give.js'
import { MemoryBroker } from '../../support/memory-bus.js'

const STIRRING_PIN = 17
let lab: BioreactorLab
afterEach(() => lab.close())

const outcomes = (setting: string): unknown[] =>
  lab.published(`stirring/${setting}/set/outcome`).map((text) => JSON.parse(text) as unknown)
const duty = (): number => lab.bioreactor.duty.get(STIRRING_PIN) ?? 0
const record = (id: number): unknown =>
  JSON.parse(lab.broker.retained.get(`system/u1/jobs/${id}`)?.toString() ?? 'null')

describe('starting', () => {
  test("runs the contract's example, arguments and override included", async () => {
    lab = await startBioreactorLab()
    const task = await lab.run(
      'stirring',
      { target_rpm: '200' },
      { env: { JOB_SOURCE: 'api' }, args: ['some-flag'], config_overrides: [['stirring.config', 'pwm_hz', '100']] },
    )
    expect(task).toMatchObject({ status: 'succeeded', result: { ok: true } })
    expect(record(1)).toMatchObject({ job_name: 'stirring', job_source: 'api', is_running: true, state: 'ready' })
    expect(duty()).toBe(30)
  })

  test('accepts a target of 0 and keeps the bar still', async () => {
    lab = await startBioreactorLab()
    expect(await lab.run('stirring', { target_rpm: 0 })).toMatchObject({ status: 'succeeded' })
    expect(lab.published('stirring/target_rpm')).toEqual(['0'])
    expect(lab.bioreactor.writes.every(({ value }) => value === 0)).toBe(true)
  })

  test.each([
    ['bubbling', {}, {}, 2, 'bubbling'],
    ['stirring', { speed: 1 }, {}, 2, 'speed'],
    ['stirring', { target_rpm: 1501 }, {}, 2, '1500 RPM'],
    ['stirring', { target_rpm: 'fast' }, {}, 2, 'fast'],
    ['stirring', { duty_cycle: null }, {}, 2, 'duty_cycle'],
    ['stirring', {}, { config_overrides: [['stirring.config', 'pwm_hz']] }, 2, 'config override'],
    ['stirring', {}, { config_overrides: [['stirring.config', 'pwm_hz', 'x']] }, 2, 'pwm_hz'],
    ['stirring', {}, { env: { EXPERIMENT: 'a/b' } }, 2, 'experiment'],
    ['stirring', {}, { env: { EXPERIMENT: 'x'.repeat(256) } }, 2, 'at most 255'],
    ['stirring', {}, { env: { ACTIVE: '0' } }, 1, 'not active'],
  ])('%s %j %j fails with exit code %s and names %s', async (job, options, more, exit, named) => {
    lab = await startBioreactorLab()
    const task = await lab.run(job, options, more)
    const { message } = task['error'] as { message: string }
    expect(message).toMatch(
      new RegExp(`^Command exited during startup grace window\\. Exit code ${exit}\\. .*${named}`),
    )
    expect(lab.bioreactor.writes.filter(({ value }) => value > 0)).toEqual([])
  })

  test('refuses a duplicate without disturbing the one that runs', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    const before = lab.broker.published.length
    expect(await lab.run('stirring', {}, { env: { EXPERIMENT: 'other' } })).toMatchObject({ status: 'failed' })
    expect(lab.broker.published.slice(before).every(({ topic }) => topic.startsWith('system/u1/tasks/'))).toBe(true)
    expect(duty()).toBe(30)
  })

  test('a start that fails releases what it had claimed', async () => {
    lab = await startBioreactorLab()
    lab.bioreactor.broken = true
    expect(await lab.run('stirring')).toMatchObject({ status: 'failed' })
    expect(lab.published('stirring/$state')).toEqual(['init', 'disconnected'])
    expect(record(1)).toMatchObject({ is_running: false, reason: expect.stringContaining('pin17') as unknown })
    lab.bioreactor.broken = false
    expect(await lab.run('stirring')).toMatchObject({ status: 'succeeded' })
  })
})

describe('commands', () => {
  test('a valid one acts and is answered', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    await lab.set('stirring', 'duty_cycle', '42')
    expect(duty()).toBe(42)
    expect(outcomes('duty_cycle')).toMatchObject([{ accepted: true, result: 42 }])
  })

  test.each([
    ['target_rpm', 'abc', 'input.invalid'],
    ['target_rpm', '5001', 'input.invalid'],
    ['measured_rpm', '1', 'setting.read_only'],
    ['nope', '1', 'setting.unknown'],
    ['target_rpm_during_od_reading', '1', 'setting.absent'],
    ['$state', 'bogus', 'input.invalid'],
    ['$state', 'init', 'input.invalid'],
  ])('%s = %s is answered with %s and changes nothing', async (setting, text, code) => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    const writes = lab.bioreactor.writes.length
    await lab.set('stirring', setting, text)
    expect(outcomes(setting)).toMatchObject([{ accepted: false, error: { code } }])
    expect(lab.bioreactor.writes).toHaveLength(writes)
    expect(lab.published('stirring/$state')).toEqual(['init', 'ready'])
  })

  test('those to every unit are followed, retained ones never', async () => {
    lab = await startBioreactorLab()
    await lab.context.bus.publish('pioreactor/u1/exp/stirring/duty_cycle/set', '77', { retain: true })
    await lab.run('stirring')
    expect(duty()).toBe(30)
    await lab.context.bus.publish('pioreactor/$broadcast/exp/stirring/duty_cycle/set', '41')
    await lab.clock.advance(0)
    expect(duty()).toBe(41)
  })

  test('one that comes while the job starts is carried out when it is ready', async () => {
    lab = await startBioreactorLab()
    const id = await lab.begin('stirring')
    expect(lab.published('stirring/$state')).toEqual(['init'])
    await lab.set('stirring', 'target_rpm', '321')
    await lab.clock.advance(2000)
    expect(lab.task(id)).toMatchObject({ status: 'succeeded' })
    expect(outcomes('target_rpm')).toMatchObject([{ accepted: true, result: 321 }])
  })

  test('one that comes to a job that never gets ready is refused', async () => {
    lab = await startBioreactorLab()
    const id = await lab.begin('stirring')
    await lab.set('stirring', 'target_rpm', '321')
    await give(lab.service, stopJobsCommand, { job_name: 'stirring' }, 'stop')
    await lab.clock.advance(0)
    expect(outcomes('target_rpm')).toMatchObject([{ accepted: false, error: { code: 'job.not_ready' } }])
    expect(lab.task(id)).toMatchObject({ status: 'failed' })
  })

  test('several settings change together or not at all', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    const update = (settings: Record<string, unknown>) =>
      give(lab.service, updateJobCommand, { job_name: 'stirring', settings })
    await expect(update({ duty_cycle: 50, target_rpm: 9999 })).rejects.toThrow('target_rpm')
    expect(duty()).toBe(30)
    await update({ duty_cycle: '50' })
    expect(duty()).toBe(50)
  })

  test('a sleeping job has its output off until it is woken', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    await lab.set('stirring', '$state', 'sleeping')
    expect(duty()).toBe(0)
    await lab.set('stirring', 'target_rpm', '600')
    expect(duty()).toBe(0)
    await lab.set('stirring', '$state', 'ready')
    await lab.clock.advance(1000)
    expect(duty()).toBeGreaterThan(0)
  })
})

describe('without the broker', () => {
  test('outputs are off at once, and work goes on afterwards with the gap in the log', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    lab.broker.setConnected(false)
    await lab.service.suspend('the connection to the broker is lost')
    expect(duty()).toBe(0)
    lab.broker.setConnected(true)
    const resumed = lab.service.resume()
    await lab.clock.advance(1000)
    await resumed
    expect(duty()).toBe(30)
    expect(lab.published('stirring/$state').at(-1)).toBe('ready')
    expect(lab.published('logs/app/warning').at(-1)).toContain('Resumed after a gap')
  })

  test('a job whose output does not obey the pause is ended, and its output tried again', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    // Stirring tells its motor three times by itself.
    lab.bioreactor.deafTo = 3
    await lab.service.suspend('test')
    expect(duty()).toBe(0)
    expect(record(1)).toMatchObject({ is_running: false, reason: expect.stringContaining('pin17') as unknown })
  })

  test('a job paused by its user stays paused', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    await lab.set('stirring', '$state', 'sleeping')
    await lab.service.suspend('test')
    await lab.service.resume()
    await lab.clock.advance(1000)
    expect(duty()).toBe(0)
  })

  test('a job that reads of its own loss contradicts it', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    lab.connections[0]?.die()
    await lab.clock.advance(0)
    expect(lab.broker.retained.get('pioreactor/u1/exp/stirring/$state')?.toString()).toBe('ready')
  })
})

describe('ending', () => {
  test('stop all ends everything, and the task says so', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    await give(lab.service, stopJobsCommand, { all: true }, 'stop')
    await lab.clock.advance(100)
    expect(lab.task('stop')).toMatchObject({ status: 'succeeded', result: true })
    expect(duty()).toBe(0)
    expect(record(1)).toMatchObject({ is_running: false, state: 'disconnected', reason: null })
  })

  test('a stop that comes while the job starts is the last word', async () => {
    lab = await startBioreactorLab()
    const { context } = lab
    const { connectBus } = context
    let subscribed: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      subscribed = resolve
    })
    Object.assign(context, {
      connectBus: async (options: Parameters<typeof connectBus>[0]) => {
        const bus = await connectBus(options)
        const subscribe = bus.subscribe.bind(bus)
        return Object.assign(bus, {
          subscribe: async (...args: Parameters<typeof subscribe>) => {
            await slow
            return subscribe(...args)
          },
        })
      },
    })
    await lab.begin('stirring')
    await lab.clock.advance(2000)
    await give(lab.service, stopJobsCommand, { job_name: 'stirring' }, 'stop')
    await lab.clock.advance(0)
    subscribed()
    await lab.clock.advance(30_000)
    expect(lab.published('stirring/$state')).toEqual(['init', 'disconnected'])
    expect(record(1)).toMatchObject({ state: 'disconnected', is_running: false })
  })

  test('a stop needs a filter', async () => {
    lab = await startBioreactorLab()
    await expect(give(lab.service, stopJobsCommand, {})).rejects.toThrow('at least one')
  })

  test('jobs of an earlier life are marked lost with an alarm, and ids go on', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    // What the broker still knows after the process died.
    const broker = new MemoryBroker()
    for (const [topic, payload] of lab.broker.retained) broker.retained.set(topic, payload)
    lab.close()
    lab = await startBioreactorLab({ broker, bioreactor: new FakeBioreactor() })
    expect(record(1)).toMatchObject({ is_running: false, state: 'lost', reason: 'lost' })
    expect(broker.retained.get('pioreactor/u1/exp/stirring/$state')?.toString()).toBe('lost')
    expect(lab.published('logs/app/error').at(-1)).toContain('stirring was interrupted')
    await lab.run('stirring')
    expect(record(2)).toMatchObject({ job_name: 'stirring', is_running: true })
  })

  test('an interrupted job that the operator names starts again as it was asked for', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring', { target_rpm: 321 })
    const broker = new MemoryBroker()
    for (const [topic, payload] of lab.broker.retained) broker.retained.set(topic, payload)
    lab.close()
    lab = await startBioreactorLab({ broker, bioreactor: new FakeBioreactor(), resumeJobs: ['stirring'] })
    expect(record(1)).toMatchObject({ is_running: false, state: 'lost' })
    expect(record(2)).toMatchObject({ job_name: 'stirring', experiment: 'exp', is_running: true })
    await lab.clock.advance(2000)
    expect(broker.retained.get('pioreactor/u1/exp/stirring/target_rpm')?.toString()).toBe('321')
  })

  test('who names a job later does not start what was interrupted before', async () => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    const broker = new MemoryBroker()
    const next = async (resumeJobs: readonly string[]): Promise<void> => {
      for (const [topic, payload] of lab.broker.retained) broker.retained.set(topic, payload)
      lab.close()
      lab = await startBioreactorLab({ broker, bioreactor: new FakeBioreactor(), resumeJobs })
    }
    await next([])
    await next(['stirring'])
    expect(record(1)).toMatchObject({ is_running: false, state: 'lost' })
    expect(record(2)).toBeNull()
  })
})

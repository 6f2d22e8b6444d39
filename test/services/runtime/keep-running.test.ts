import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { logStatusEvent } from '../../../events/system/log-status.js'
import type { RetainedText } from '../../../services/aftermath/retained.js'
import type { SafeStateReport } from '../../../services/runtime/safe-state.js'
import type { Service, ServiceContext, ServicePart } from '../../../services/runtime/service.js'
import { type RunningServices, startServices } from '../../../services/runtime/start-services.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'
import { until } from '../../support/until.js'

let broker: MemoryBroker
let clock: FakeClock
let calls: string[]

beforeEach(() => {
  broker = new MemoryBroker()
  clock = new FakeClock()
  calls = []
})

const serviceOf = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  commands: [],
  suspend: async () => void calls.push(`${name} suspended`),
  resume: async () => void calls.push(`${name} resumed`),
  stop: async () => void calls.push(`${name} stopped`),
  ...more,
})

const healthy: ServicePart = { name: 'healthy', commands: [], start: async () => serviceOf('healthy') }

const run = (...parts: readonly ServicePart[]): Promise<RunningServices> =>
  startServices(
    {
      unit: 'u1',
      box: 'u1',
      clock,
      logger: silentLogger,
      hardwareKind: 'simulated',
      dotPioreactor: '/nowhere',
      bus: broker.connect(),
      connectBus: async () => broker.connect(),
    } satisfies ServiceContext,
    [healthy, ...parts],
  )

type State = { readonly state: string; readonly reason: string | null }
const statesOf = (name: string): readonly State[] =>
  broker.payloads(`system/u1/services/${name}`).map((text) => JSON.parse(text) as State)
const lastOf = (name: string): State | undefined => statesOf(name).at(-1)
const alarms = (): readonly string[] =>
  broker
    .payloads('pioreactor/u1/$experiment/logs/app/error')
    .map((text) => (JSON.parse(text) as { message: string }).message)
const isReady = (): boolean =>
  broker.payloads('system/u1/service').some((text) => (JSON.parse(text) as State).state === 'ready')

/** Has every part suspended. */
const cannotWrite = (): Promise<void> =>
  broker
    .connect()
    .publish(
      logStatusEvent.topic({}),
      JSON.stringify({ writable: false, position: 1, reason: 'disk full', timestamp: '2026-01-01T00:00:00Z' }),
    )

describe('a part of the services', () => {
  test('whose start fails costs the others nothing, says why, and is started again', async () => {
    let attempts = 0
    const services = await run({
      name: 'pump',
      commands: [],
      async start() {
        attempts++
        if (attempts < 3) throw new Error('the cable is out')
        return serviceOf('pump')
      },
    })
    expect(isReady()).toBe(true)
    expect(lastOf('healthy')).toMatchObject({ state: 'ready' })
    expect(lastOf('pump')).toMatchObject({ state: 'failed', reason: 'the cable is out' })
    expect(alarms()).toEqual(['pump failed: the cable is out'])
    await until(async () => {
      await clock.advance(1000)
      return lastOf('pump')?.state === 'ready'
    }, 'the third start')
    expect(attempts).toBe(3)
    await services.stop()
    expect(calls).toEqual(expect.arrayContaining(['pump stopped', 'healthy stopped']))
    expect([lastOf('healthy')?.state, lastOf('pump')?.state]).toEqual(['stopped', 'stopped'])
  })

  test('that hangs at its start does not hold the others up, and joins them when it comes', async () => {
    let arrive: (service: Service) => void = () => undefined
    const services = await run({
      name: 'pump',
      commands: [],
      start: () =>
        new Promise<Service>((resolve) => {
          arrive = resolve
        }),
    })
    expect(isReady()).toBe(true)
    expect(lastOf('pump')).toMatchObject({ state: 'starting', reason: expect.stringContaining('takes longer than') })
    expect(alarms()).toHaveLength(1)
    arrive(serviceOf('pump'))
    await until(() => lastOf('pump')?.state === 'ready', 'the late part')
    await services.stop()
    expect(calls).toContain('pump stopped')
  })

  test('that fails at work is stopped, made safe, corrected and started again with what is true', async () => {
    const worlds: (readonly RetainedText[])[] = []
    const report: SafeStateReport = { safe: false, done: [], failed: [{ step: 'plunger', reason: 'no answer' }] }
    await run({
      name: 'pump',
      commands: [],
      async start({ bus }, past) {
        worlds.push(past)
        await bus.publish('pump/u1/state', 'running', { retain: true })
        return serviceOf('pump', { suspend: () => Promise.reject(new Error('broken')) })
      },
      async makeSafe() {
        calls.push('pump made safe')
        return report
      },
      aftermath: {
        filters: ['pump/+/state'],
        corrections: ({ world }) => world.map(({ topic }) => ({ topic, payload: 'lost', retain: true })),
      },
    })
    await cannotWrite()
    await until(async () => {
      await clock.advance(1000)
      return worlds.length === 2
    }, 'the second start')
    expect(calls.indexOf('pump stopped')).toBeGreaterThanOrEqual(0)
    expect(calls.indexOf('pump made safe')).toBeGreaterThan(calls.indexOf('pump stopped'))
    expect(worlds[1]).toContainEqual({ topic: 'pump/u1/state', text: 'lost' })
    expect(calls).toContain('healthy suspended')
    expect(calls).not.toContain('healthy stopped')
    expect(lastOf('healthy')?.state).toBe('ready')
  })

  test('whose outputs somebody switched off behind its back ends its work, says why, and takes orders anew', async () => {
    let starts = 0
    const services = await run({
      name: 'pump',
      commands: [],
      async start() {
        starts++
        return serviceOf('pump', { suspend: async (reason) => void calls.push(`pump suspended: ${reason}`) })
      },
      async makeSafe() {
        calls.push('pump made safe')
        return { safe: true, done: ['pwm'], failed: [] }
      },
    })
    await services.switchedOff({ id: 'a', at: clock.now().getTime(), safe: true, done: ['pwm'], failed: [] })
    await until(async () => {
      await clock.advance(1000)
      return starts === 2 && lastOf('pump')?.state === 'ready'
    }, 'the next life')
    expect(calls).toEqual(['pump suspended: safe-state was run beside the unit', 'pump stopped', 'pump made safe'])
    expect(alarms()).toEqual(['pump failed: safe-state was run beside the unit.'])
    expect(JSON.parse(broker.payloads('system/u1/safe_state').at(-1) ?? '')).toMatchObject({ id: 'a', safe: true })
    expect(lastOf('healthy')).toMatchObject({ state: 'ready' })
    await services.stop()
  })

  test('that cannot be stopped is not started a second time beside itself', async () => {
    let starts = 0
    await run({
      name: 'pump',
      commands: [],
      async start() {
        starts++
        return serviceOf('pump', {
          suspend: () => Promise.reject(new Error('broken')),
          stop: () => new Promise(() => undefined),
        })
      },
    })
    await cannotWrite()
    await until(() => lastOf('pump')?.reason?.includes('does not end') === true, 'the end of attempts')
    await clock.advance(100_000)
    expect(starts).toBe(1)
  })

  test('that this unit no longer has is forgotten', async () => {
    const stopped = { state: 'stopped', reason: null, timestamp: '2026-01-01T00:00:00Z' }
    broker.retained.set('system/u1/services/pump', Buffer.from(JSON.stringify(stopped)))
    await run()
    expect(broker.retained.has('system/u1/services/pump')).toBe(false)
    expect(broker.retained.has('system/u1/services/healthy')).toBe(true)
  })
})

test.each(['timer', 'promise', 'message'])(
  'an error that nobody caught, from a %s, ends its part and leaves the process and the others',
  async (kind) => {
    const entry = fileURLToPath(new URL('../../support/stray-error-process.js', import.meta.url))
    const child = spawn(process.execPath, [entry, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(printed.trim().split('\n')).toEqual(['pump failed: stray', 'healthy ready'])
    expect(code).toBe(0)
  },
)

test('an error that belongs to no part ends the process', async () => {
  const entry = fileURLToPath(new URL('../../support/stray-error-process.js', import.meta.url))
  const child = spawn(process.execPath, [entry, 'nobody'], { stdio: ['ignore', 'ignore', 'ignore'] })
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).not.toBe(0)
})

import { beforeEach, describe, expect, it } from 'vitest'
import { sendCommand } from '../../../bus/commands.js'
import { cancelRunCommand, rescanDevicesCommand } from '../../../events/potentiostat/commands.js'
import { NoSuchRun } from '../../../events/potentiostat/errors.js'
import { logStatusEvent } from '../../../events/system/log-status.js'
import { answer } from '../../../services/runtime/answer.js'
import type { PartContext, Service, ServiceContext } from '../../../services/runtime/service.js'
import { type RunningServices, startServices } from '../../../services/runtime/start-services.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { silentLogger } from '../../support/silent-logger.js'
import { until } from '../../support/until.js'

let broker: MemoryBroker
let calls: string[]
let services: RunningServices
let hold: PartContext['hold']

const service: Service = {
  name: 'stub',
  commands: [
    answer(cancelRunCommand, async ({ run_id }) => {
      if (run_id === 'bug') throw new TypeError('secret detail')
      if (run_id === 'unknown') throw new NoSuchRun('There is no run unknown.', { details: { run_id } })
      return { run_id }
    }),
  ],
  async suspend(reason) {
    calls.push(`suspend: ${reason}`)
  },
  async resume() {
    calls.push('resume')
  },
  async stop() {
    calls.push('stop')
  },
}

beforeEach(async () => {
  broker = new MemoryBroker()
  calls = []
  const context = {
    unit: 'u1',
    box: 'u1',
    clock: new FakeClock(),
    logger: silentLogger,
    hardwareKind: 'simulated',
    dotPioreactor: '/nowhere',
    bus: broker.connect(),
    connectBus: async () => broker.connect(),
  } as unknown as ServiceContext
  services = await startServices(context, [
    {
      name: 'stub',
      commands: [],
      async start(given) {
        hold = given.hold
        return service
      },
    },
  ])
})

const cancel = (run_id: string): Promise<unknown> => sendCommand(broker.connect(), 'u1', cancelRunCommand, { run_id })
const states = (): string[] =>
  broker.payloads('system/u1/service').map((text) => (JSON.parse(text) as { state: string }).state)

describe('a hold', () => {
  it('has everything wait until it ends, whatever broker and other holds do meanwhile', async () => {
    const release = await hold('the computer is switched off')
    expect(calls).toEqual(['suspend: the computer is switched off'])
    expect(states().at(-1)).toBe('suspended')
    const releaseOther = await hold('the same again')
    broker.setConnected(false)
    broker.setConnected(true)
    release()
    release()
    await until(() => calls.length > 1, 'the other hold')
    expect(calls).not.toContain('resume')
    releaseOther()
    await until(() => calls.at(-1) === 'resume', 'the end')
    await until(() => states().at(-1) === 'ready', 'the state')
  })
})

describe('orders', () => {
  it('are answered with the result of the service', async () => expect(await cancel('r1')).toEqual({ run_id: 'r1' }))

  it('that a service refuses are answered with its error', async () =>
    expect(cancel('unknown')).rejects.toMatchObject({
      code: 'jobs.not_found',
      family: 'input',
      message: 'There is no run unknown.',
      details: { run_id: 'unknown' },
    }))

  it('that hit a defect hide its message', async () =>
    expect(cancel('bug')).rejects.toMatchObject({
      code: 'internal.error',
      message: expect.not.stringContaining('secret'),
    }))

  it('that nobody serves are refused', async () =>
    expect(sendCommand(broker.connect(), 'u1', rescanDevicesCommand, {})).rejects.toMatchObject({
      code: 'request.unknown',
    }))

  it('whose result is not as declared are a defect', async () => {
    const bus = broker.connect()
    const elsewhere = cancelRunCommand.topic({ unit: 'u2' })
    await bus.subscribe(elsewhere, ({ payload }) => {
      const { id } = JSON.parse(payload.toString()) as { id: string }
      const outcome = { id, accepted: true, result: { run_id: 7 }, timestamp: '2026-01-01T00:00:00Z' }
      void bus.publish(`system/u2/outcomes/${id}`, JSON.stringify(outcome))
    })
    await expect(sendCommand(bus, 'u2', cancelRunCommand, { run_id: 'r1' })).rejects.toMatchObject({
      code: 'internal.error',
      message: 'The result of cancel_run is not as declared.',
      cause: { message: 'result.run_id is 7; it must be of type string.' },
    })
  })

  it('of the wrong shape are refused and name the field', async () => {
    const bus = broker.connect()
    await bus.publish('system/u1/commands/cancel_run', '{"id":"c-1"}')
    await until(() => broker.payloads('system/u1/outcomes/c-1').length === 1, 'an outcome')
    expect(broker.payloads('system/u1/outcomes/c-1')[0]).toContain('run_id is missing')
  })

  it('that come again are carried out once', async () => {
    const bus = broker.connect()
    const text = JSON.stringify({ id: 'c-1', run_id: 'r1' })
    for (let time = 0; time < 3; time++) await bus.publish('system/u1/commands/cancel_run', text)
    await cancel('r2')
    expect(broker.payloads('system/u1/outcomes/c-1')).toHaveLength(1)
  })

  it('that were retained are never executed', async () => {
    const bus = broker.connect()
    broker.retained.set('system/u1/commands/cancel_run', Buffer.from('{"id":"old","run_id":"r1"}'))
    await bus.subscribe('system/u1/commands/+', () => undefined)
    await cancel('r2')
    expect(broker.payloads('system/u1/outcomes/old')).toEqual([])
  })

  it('without an answer end with that', async () => {
    await expect(
      sendCommand(broker.connect(), 'other-unit', cancelRunCommand, { run_id: 'r1' }, { timeoutMs: 20 }),
    ).rejects.toMatchObject({ code: 'services.no_answer' })
  })
})

describe('while nothing can be recorded', () => {
  const log = (writable: boolean, reason: string | null): Promise<void> =>
    broker
      .connect()
      .publish(
        logStatusEvent.topic({}),
        JSON.stringify({ writable, position: 1, reason, timestamp: '2026-01-01T00:00:00Z' }),
      )

  it('services are suspended, and resumed when the log is writable again', async () => {
    await log(false, 'disk full')
    await until(() => calls.length === 1, 'suspension')
    await log(true, null)
    await until(() => calls.length === 2, 'resumption')
    expect(calls).toEqual(['suspend: disk full', 'resume'])
    expect(states()).toEqual(['starting', 'ready', 'suspended', 'ready'])
  })

  it('a lost connection suspends too, and both causes must end', async () => {
    broker.setConnected(false)
    await until(() => calls.length === 1, 'suspension')
    broker.setConnected(true)
    await log(false, 'disk full')
    await until(() => calls.includes('suspend: disk full'), 'the second reason')
    await log(true, null)
    await until(() => calls.at(-1) === 'resume', 'resumption')
    expect(calls[0]).toBe('suspend: the connection to the broker is lost')
  })
})

it('stops its services and says so', async () => {
  await services.stop()
  expect(calls).toEqual(['stop'])
  expect(states()).toEqual(['starting', 'ready', 'stopped'])
})

import { publishEvent } from '../../bus/publish-event.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { MessageBus } from '../../events/ports.js'
import { type LogStatus, logStatusEvent } from '../../events/system/log-status.js'
import { type ServiceRecord, serviceEvent } from '../../events/system/services.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import { correctAtStart } from '../aftermath/over-bus.js'
import type { RetainedText } from '../aftermath/retained.js'
import { answerCommands } from './answer-commands.js'
import type { SafeStateResult } from './safe-state-result.js'
import type { Service, ServiceContext } from './service.js'

/** @param past what is retained of earlier lives, corrected. */
export type StartService = (context: ServiceContext, past: readonly RetainedText[]) => Promise<Service>

export interface RunningServices {
  /** Everything ended and published, outputs off. Bounded by what hardware and broker need; never throws. */
  stop(): Promise<void>
}

/** The will of the services process: written at the connection, so without a time of its own. */
export const servicesWill = (unit: string, hardware: ServiceRecord['hardware']) => ({
  topic: serviceEvent.topic({ unit }),
  payload: serviceEvent.encode({ state: 'lost', hardware, reason: 'the services process died', timestamp: null }),
})

/** Corrects what an earlier process left behind, then starts the services on one shared connection and answers commands. While the broker is away or the log cannot be written every
 * service is suspended: what must not go unrecorded must not happen.
 * @param outputs how they were switched off at the start of this process. */
export async function startServices(
  context: ServiceContext,
  starters: readonly StartService[],
  outputs: SafeStateResult | null = null,
): Promise<RunningServices> {
  const { bus, unit, clock, logger } = context
  const past = await correctAtStart(context, outputs)
  const services: Service[] = []
  for (const start of starters) services.push(await start(context, past))

  const announce = (state: ServiceRecord['state'], reason: string | null): void => {
    const record: ServiceRecord = { state, hardware: context.hardwareKind, reason, timestamp: timestampOf(clock.now()) }
    publishEvent(bus, serviceEvent, { unit }, record).catch((error: unknown) => {
      logger.debug({ err: error }, 'service state not published')
    })
  }
  const gate = createGate(context, services, announce)
  const endConnection = bus.onConnection((connected) => gate.connected(connected))
  await bus.subscribe(logStatusEvent.filter(), ({ payload }) =>
    gate.logStatus(logStatusEvent.parse(payload.toString())),
  )
  await answerCommands(services, { bus, unit, clock, logger })
  announce('ready', null)

  return {
    async stop() {
      endConnection()
      gate.close()
      const ended = await Promise.allSettled([...services].reverse().map((service) => service.stop()))
      for (const result of ended) {
        if (result.status === 'rejected')
          logger.error({ err: result.reason as unknown }, 'service did not stop cleanly')
      }
      if (bus.connected) await publishStopped(bus, context)
    },
  }
}

async function publishStopped(bus: MessageBus, { unit, hardwareKind, clock }: ServiceContext): Promise<void> {
  const record: ServiceRecord = {
    state: 'stopped',
    hardware: hardwareKind,
    reason: null,
    timestamp: timestampOf(clock.now()),
  }
  await publishEvent(bus, serviceEvent, { unit }, record)
}

interface Gate {
  connected(connected: boolean): void
  logStatus(status: LogStatus): void
  close(): void
}

/** Suspends and resumes the services, one transition after the other, always ending at the newest state of the world. */
function createGate(
  { logger }: ServiceContext,
  services: readonly Service[],
  announce: (state: ServiceRecord['state'], reason: string | null) => void,
): Gate {
  let linked = true
  let unwritable: string | null = null
  let applied: string | null = null
  let closed = false
  const serially = createSerialQueue()

  const wanted = (): string | null => (linked ? unwritable : 'the connection to the broker is lost')
  const settle = async (): Promise<void> => {
    const reason = wanted()
    if (closed || reason === applied) return
    const waking = reason === null
    applied = reason
    logger.warn({ reason }, waking ? 'services resume' : 'services suspended, outputs safe')
    const moved = await Promise.allSettled(
      services.map((service) => (reason === null ? service.resume() : service.suspend(reason))),
    )
    for (const result of moved) {
      if (result.status === 'rejected') logger.error({ err: result.reason as unknown }, 'service did not follow')
    }
    announce(waking ? 'ready' : 'suspended', reason)
  }
  const change = (): void => {
    void serially(settle)
  }
  return {
    connected(connected) {
      linked = connected
      change()
    },
    logStatus({ writable, reason }) {
      unwritable = writable ? null : (reason ?? 'the event log cannot be written')
      change()
    },
    close() {
      closed = true
    },
  }
}

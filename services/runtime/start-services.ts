import { publishEvent } from '../../bus/publish-event.js'
import { defineError } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { MessageBus } from '../../events/ports.js'
import { logStatusEvent } from '../../events/system/log-status.js'
import { servicePartEvent } from '../../events/system/service-parts.js'
import { type ServiceRecord, serviceEvent } from '../../events/system/services.js'
import { correctAtStart, publishCorrections } from '../aftermath/over-bus.js'
import type { RetainedText } from '../aftermath/retained.js'
import { safeStateTold } from '../aftermath/safe-state.js'
import type { Answer } from './answer.js'
import { answerCommands } from './answer-commands.js'
import { createGate } from './gate.js'
import { keepRunning } from './keep-running.js'
import type { SafeStateResult } from './safe-state-result.js'
import type { PartContext, ServiceContext, ServicePart } from './service.js'
import { expireTasks } from './task-expiry.js'

export interface RunningServices {
  /** Somebody switched every output off behind their back: what works ends and stays ended, and the log tells. */
  switchedOff(outputs: SafeStateResult): Promise<void>
  /** Everything ended and published, outputs off. Bounded by what hardware and broker need; never throws. */
  stop(): Promise<void>
}

/** The will of the services process: written at the connection, so without a time of its own. */
export const servicesWill = (unit: string, hardware: ServiceRecord['hardware']) => ({
  topic: serviceEvent.topic({ unit }),
  payload: serviceEvent.encode({ state: 'lost', hardware, reason: 'the services process died', timestamp: null }),
})

/** Corrects what an earlier process left behind, then starts the parts of the services side by side on one shared connection and answers commands.
 * A part that fails or hangs costs the others nothing. While the broker is away or the log cannot be written all of them are suspended:
 * what must not go unrecorded must not happen.
 * @param outputs how they were switched off at the start of this process.
 * @returns once every part works, has failed, or takes long. */
export async function startServices(
  given: ServiceContext,
  parts: readonly ServicePart[],
  outputs: SafeStateResult | null = null,
): Promise<RunningServices> {
  // There is a gate once there is something behind it.
  const context: PartContext = { ...given, hold: (reason) => gate.hold(reason) }
  const { bus, unit, clock, logger } = context
  const aftermaths = parts.flatMap(({ aftermath, transient }) => [aftermath ?? [], transient ?? []].flat())
  const past = await correctAtStart(context, outputs, aftermaths)
  await forgetOthers(context, parts, past)

  const announce = (): void => {
    const { suspended: reason } = gate
    const state = reason === null ? 'ready' : 'suspended'
    const record: ServiceRecord = { state, hardware: context.hardwareKind, reason, timestamp: timestampOf(clock.now()) }
    publishEvent(bus, serviceEvent, { unit }, record).catch((error: unknown) => {
      logger.debug({ err: error }, 'service state not published')
    })
  }
  const kept = parts.map((part) => keepRunning(part, context, past))
  let started = false
  const gate = createGate(logger, kept, () => {
    if (started) announce()
  })
  const endConnection = bus.onConnection((connected) => gate.connected(connected))
  await bus.subscribe(logStatusEvent.filter(), ({ payload }) =>
    gate.logStatus(logStatusEvent.parse(payload.toString())),
  )
  const endExpiry = await expireTasks(context)
  await Promise.all(kept.map(({ settled }) => settled))
  const answers = (): readonly Answer[] => kept.flatMap(({ commands }) => commands)
  await answerCommands((name) => answers().find(({ command }) => command.name === name) ?? notNow(parts, name), {
    bus,
    unit,
    clock,
    logger,
  })
  started = true
  announce()

  return {
    async switchedOff(result) {
      const now = timestampOf(clock.now())
      await Promise.all(kept.map((part) => part.switchedOff('safe-state was run beside the unit')))
      await publishCorrections(bus, safeStateTold([], unit, result, { at: now, now }))
    },
    async stop() {
      endConnection()
      gate.close()
      await endExpiry()
      const ended = await Promise.allSettled([...kept].reverse().map((part) => part.stop()))
      for (const result of ended) {
        if (result.status === 'rejected')
          logger.error({ err: result.reason as unknown }, 'service did not stop cleanly')
      }
      if (bus.connected) await publishStopped(bus, context)
    },
  }
}

const PartNotReady = defineError(
  'services.part_not_ready',
  'state',
  'The instrument that carries out the command starts or has failed; `system/<unit>/services/` tells which.',
  { remediation: 'Try again when its state is ready; after a failure it is started again by itself.' },
)

/** @throws PartNotReady for a command of a part that does not work */
function notNow(parts: readonly ServicePart[], command: string): undefined {
  const idle = parts.find(({ commands }) => commands.some(({ name }) => name === command))
  if (idle === undefined) return
  throw new PartNotReady(`${idle.name} does not work now, so '${command}' was not carried out.`, {
    details: { service: idle.name, command },
  })
}

/** Clears the states of parts that this version or this configuration does not have. */
async function forgetOthers(
  { bus, unit }: ServiceContext,
  parts: readonly ServicePart[],
  past: readonly RetainedText[],
): Promise<void> {
  const own = new Set(parts.map(({ name }) => servicePartEvent.topic({ unit, service: name })))
  const others = past.filter(({ topic }) => servicePartEvent.levels(topic)?.unit === unit && !own.has(topic))
  await Promise.all(others.map(({ topic }) => bus.publish(topic, '', { retain: true })))
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

import { publishEvent } from '../../bus/publish-event.js'
import { type LogMessage, logEvent } from '../../events/bioreactor/logs.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { type ServicePartRecord, servicePartEvent } from '../../events/system/service-parts.js'
import { deadline } from '../../primitives/deadline.js'
import { correctPart } from '../aftermath/over-bus.js'
import type { RetainedText } from '../aftermath/retained.js'
import type { Answer } from './answer.js'
import { type Owner, onAccountOf, onOwnAccount } from './containment.js'
import { createDeferred } from './deferred.js'
import type { PartContext, Service, ServicePart } from './service.js'

/** After this time the others go on without a part that is still starting. Real time, as everything here that hangs. */
const START_MS = 5000
/** A part that takes longer to be suspended or resumed has failed. */
const MOVE_MS = 10_000
/** A part that failed may take so long to end; then its outputs are made safe regardless. */
const STOP_MS = 2000

/** Pauses between a failure and the next start; the last one is repeated. */
const BACKOFF_S = [1, 2, 5, 10, 30]
/** A part that worked for so long has recovered: the next pause is short again. */
const STABLE_MS = 60_000

/** A part of the services that is kept running, whatever happens to it. */
export interface KeptPart extends Pick<Service, 'suspend' | 'resume' | 'stop'> {
  /** What it carries out now: nothing while it does not work. */
  readonly commands: readonly Answer[]
  /** Resolves when the first start has succeeded or failed, or takes long. */
  readonly settled: Promise<void>
  /** Its outputs were switched off behind its back: what it does ends with this reason, and it is started anew. */
  switchedOff(reason: string): Promise<void>
}

/** Starts a part of the services and keeps what goes wrong in it from the others: what it throws, be it at the start or later in a callback that
 * nobody awaits, ends this part alone. It is then stopped and made safe, what it said last is corrected, an alarm is raised, and it is started
 * again, with pauses. One that cannot be stopped is not started again.
 * @param past what is retained of earlier lives, corrected. */
export function keepRunning(part: ServicePart, context: PartContext, past: readonly RetainedText[]): KeptPart {
  const { unit, bus, clock } = context
  const logger = context.logger.child({ part: part.name })
  const ending = new AbortController()
  const settled = createDeferred()
  let service: Service | null = null
  let starting: Promise<Service | null> = Promise.resolve(null)
  let burying: Promise<boolean> | undefined
  let suspended: string | null = null
  /** Ends the present life; null between two lives. */
  let fail: ((error: unknown) => void) | null = null

  const owner: Owner = {
    fail(error) {
      if (fail === null) logger.warn({ err: error }, 'a part that failed already fails again')
      else fail(error)
      fail = null
    },
  }
  const own = <T>(work: () => T): T => onAccountOf(owner, work)

  const recordOf = (state: ServicePartRecord['state'], reason: string | null): ServicePartRecord => ({
    state,
    reason,
    timestamp: timestampOf(clock.now()),
  })
  const announce = (state: ServicePartRecord['state'], reason: string | null = null): Promise<void> =>
    publishEvent(bus, servicePartEvent, { unit, service: part.name }, recordOf(state, reason)).catch((error: unknown) =>
      logger.debug({ err: error }, 'state of a part not published'),
    )
  const alarm = (message: string): Promise<void> => {
    const level = { experiment: '$experiment', source: 'app', level: 'error' }
    const text: LogMessage = {
      source: 'app',
      task: part.name,
      message,
      level: 'ERROR',
      timestamp: timestampOf(clock.now()),
    }
    return publishEvent(bus, logEvent, { unit, ...level }, text).catch((error: unknown) =>
      logger.debug({ err: error }, 'alarm not published'),
    )
  }

  const ended = new Promise<null>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(null), { once: true })
  })

  /** Resolves with what ended the life, or with null when it was asked to end. */
  async function live(world: readonly RetainedText[]): Promise<Failure | null> {
    const failed = new Promise<Failure>((resolve) => {
      fail = (error) => resolve({ error })
    })
    void announce('starting')
    const started = own(() => Promise.resolve().then(() => part.start({ ...context, bus: onOwnAccount(bus) }, world)))
    starting = started.catch(() => null)
    void late(starting)
    const first = await Promise.race([
      started.then((begun) => ({ begun })).catch((error: unknown) => ({ error })),
      failed,
    ])
    if (ending.signal.aborted) return null
    if ('error' in first) {
      // It may have got further than it should.
      started.then(stopLate, () => undefined)
      return first
    }
    service = first.begun
    if (suspended !== null) await move('suspend', suspended)
    void announce('ready')
    settled.resolve()
    return Promise.race([failed, ended])
  }
  const stopLate = (begun: Service): void => {
    begun.stop().catch((error: unknown) => logger.error({ err: error }, 'part did not stop cleanly'))
  }

  async function late(decided: Promise<unknown>): Promise<void> {
    const isLate = await deadline(
      START_MS,
      decided.then(() => false),
      () => true,
    )
    if (!isLate || ending.signal.aborted) return
    const message = `${part.name} takes longer than ${START_MS / 1000} s to start; the others go on without it.`
    logger.error({}, message)
    void announce('starting', message)
    void alarm(message)
    settled.resolve()
  }

  /** Ends what is left of a life. @returns whether all of it has ended. */
  async function bury(error: unknown): Promise<boolean> {
    const left = service
    service = null
    fail = null
    const reason = error instanceof Error ? error.message : String(error)
    logger.error({ err: error }, 'part failed; the others go on')
    void announce('failed', reason)
    void alarm(`${part.name} failed: ${reason}`)
    settled.resolve()
    const stopped =
      left === null ||
      (await deadline(
        STOP_MS,
        own(() => left.stop()).then(
          () => true,
          (stopError: unknown) => {
            logger.error({ err: stopError }, 'part did not stop cleanly')
            return true
          },
        ),
        () => false,
      ))
    const outputs = (await part.makeSafe?.()) ?? null
    for (const { step, reason: why } of outputs?.failed ?? []) {
      void alarm(`${step} could not be switched off and may still be on: ${why}`)
    }
    return stopped
  }

  async function run(): Promise<void> {
    let world = past
    for (let failures = 0; !ending.signal.aborted; ) {
      const startedMs = clock.monotonicMs()
      const failure = await live(world)
      if (failure === null) return
      failures = clock.monotonicMs() - startedMs > STABLE_MS ? 0 : failures + 1
      burying = bury(failure.error)
      if (!(await burying)) {
        const message = `${part.name} failed and does not end; it works again when the services were started again.`
        void announce('failed', message)
        void alarm(message)
        return
      }
      const pauseS = BACKOFF_S[Math.min(failures, BACKOFF_S.length) - 1] ?? 1
      await clock.sleepUntil(clock.monotonicMs() + pauseS * 1000, ending.signal)
      if (ending.signal.aborted) return
      world = await corrected()
    }
  }

  async function corrected(): Promise<readonly RetainedText[]> {
    return part.aftermath === undefined ? [] : correctPart(context, part.aftermath, null, () => say('starting'))
  }
  /** Recorded and retained when it resolves. */
  async function say(state: ServicePartRecord['state']): Promise<RetainedText> {
    const topic = servicePartEvent.topic({ unit, service: part.name })
    const text = servicePartEvent.encode(recordOf(state, null))
    await bus.publish(topic, text, { retain: true })
    return { topic, text }
  }

  async function move(kind: 'suspend' | 'resume', reason: string): Promise<void> {
    const moving = service
    if (moving === null) return
    try {
      await deadline(
        MOVE_MS,
        own(() => (kind === 'resume' ? moving.resume() : moving.suspend(reason))),
        () => {
          throw new Error(`${part.name} did not ${kind} within ${MOVE_MS / 1000} s.`)
        },
      )
    } catch (error) {
      owner.fail(error)
    }
  }

  const running = run()
  running.catch((error: unknown) => logger.error({ err: error }, 'part is not kept running'))
  return {
    get commands() {
      return (service?.commands ?? []).map(({ command, carryOut }) => ({
        command,
        carryOut: (text: string, id: string) => own(() => carryOut(text, id)),
      }))
    },
    settled: settled.promise,
    async suspend(reason) {
      suspended = reason
      await move('suspend', reason)
    },
    async resume() {
      suspended = null
      await move('resume', '')
    },
    async switchedOff(reason) {
      if (part.makeSafe === undefined || service === null) return
      await move('suspend', reason)
      owner.fail(new Error(`${reason}.`))
    },
    async stop() {
      ending.abort()
      const begun = service ?? (await starting)
      service = null
      await own(async () => begun?.stop())
      await burying
      if (!bus.connected) return
      if (part.transient === undefined) await say('stopped')
      else await correctPart(context, part.transient, null, () => say('stopped'))
    },
  }
}

interface Failure {
  readonly error: unknown
}

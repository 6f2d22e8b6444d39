import { randomUUID } from 'node:crypto'
import { publishEvent } from '../../../bus/publish-event.js'
import {
  type CalibrationSession,
  calibrationProtocolsEvent,
  calibrationSessionEvent,
  ProtocolUnknown,
  SessionBusy,
  SessionRefused,
  SessionUnknown,
  type SessionView,
} from '../../../events/bioreactor/calibration-sessions.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../../../events/ports.js'
import { type RetainedText, recordIn } from '../../aftermath/retained.js'
import type { JobService } from '../../jobs/job-service.js'
import { type Repeating, repeat } from '../../runtime/repeat.js'
import { RetainedHistory } from '../../runtime/retained-history.js'
import type { BioreactorModel } from '../board/hardware-tables.js'
import {
  abortSession,
  advanceSession,
  findProtocol,
  protocolsOf,
  showEnd,
  showSession,
  startSession,
} from './engine.js'
import type { Executor } from './executor-port.js'
import type { Protocol, UnitFacts } from './protocol.js'

/** A session that nobody has touched for so long is over, ms. */
const EXPIRY_MS = 7 * 24 * 3_600_000
const LOOK_EVERY_S = 3600
/** Nobody calibrates so much at once; each is a retained message. */
const MAX_UNDER_WAY = 50

/** An executor of one session. */
export interface OwnExecutor extends Executor {
  /** Everything off, what it measures and what it holds, for good. */
  halt(): Promise<void>
  /** Nothing of the session stays. */
  close(): Promise<void>
}

export interface SessionsDeps {
  readonly unit: string
  readonly bus: MessageBus
  readonly clock: Clock
  readonly logger: Logger
  readonly jobs: Pick<JobService, 'config'>
  readonly model: BioreactorModel
  readonly protocols: readonly Protocol[]
  /** What carries out the orders of a session. */
  executorFor(sessionId: string): OwnExecutor
}

/** The guided calibrations of a unit. A session is what was said of it last, so one that is under way goes on after a restart, where it was;
 * what had been measured in the step that a kill broke off is measured again. */
export class Sessions {
  readonly #deps: SessionsDeps
  readonly #sessions = new Map<string, CalibrationSession>()
  readonly #executors = new Map<string, OwnExecutor>()
  /** Those whose step is being carried out. */
  readonly #busy = new Set<string>()
  readonly #history: RetainedHistory
  readonly #expiry: Repeating

  /** @param past what is retained of earlier lives */
  constructor(deps: SessionsDeps, past: readonly RetainedText[]) {
    this.#deps = deps
    const { unit, clock, logger } = deps
    for (const value of past) {
      if (calibrationSessionEvent.levels(value.topic)?.unit !== unit) continue
      const view = recordIn(calibrationSessionEvent.payload, value)
      if (view !== null) this.#sessions.set(view.session.session_id, view.session)
    }
    const over = [...this.#sessions.values()].filter(({ status }) => status !== 'in_progress')
    over.sort((one, other) => (one.updated_at < other.updated_at ? -1 : 1))
    const forget = (id: string): readonly string[] => {
      this.#sessions.delete(id)
      return [calibrationSessionEvent.topic({ unit, session_id: id })]
    }
    this.#history = new RetainedHistory(
      deps,
      forget,
      over.map(({ session_id }) => session_id),
    )
    this.#expiry = repeat({
      clock,
      intervalS: LOOK_EVERY_S,
      immediately: true,
      tick: () => this.#expire(),
      onError: (error) => logger.error({ err: error }, 'old calibration sessions not ended'),
    })
  }

  /** Says what can be calibrated. A configuration that cannot be read costs nothing but that. */
  async announce(): Promise<void> {
    const { unit, bus, protocols, logger } = this.#deps
    try {
      const { config } = await this.#facts()
      await publishEvent(bus, calibrationProtocolsEvent, { unit }, [...protocolsOf(protocols, config)])
    } catch (error) {
      logger.error({ err: error }, 'guided calibrations not announced')
    }
  }

  /** @throws ProtocolUnknown, SessionRefused when the unit is not ready for it */
  async start(device: string, protocolName: string): Promise<SessionView> {
    const underWay = [...this.#sessions.values()].filter(({ status }) => status === 'in_progress').length
    if (underWay >= MAX_UNDER_WAY) {
      throw new SessionRefused(`${underWay} guided calibrations are under way; there may be ${MAX_UNDER_WAY}.`, {
        remediation: 'Finish or abort one.',
      })
    }
    const facts = await this.#facts()
    const protocol = findProtocol(this.#deps.protocols, protocolName, device, facts.config)
    const id = randomUUID()
    const executor = this.#deps.executorFor(id)
    const session = await startSession(protocol, device, id, facts, executor)
    this.#executors.set(id, executor)
    return this.#enter({ session, step: showSession(protocol, session, facts) })
  }

  /** @throws SessionUnknown, SessionBusy; SessionRefused and LabError of what the step does: the session stays where it is */
  async advance(id: string, inputs: Readonly<Record<string, unknown>>): Promise<SessionView> {
    const session = this.#find(id)
    if (session.status !== 'in_progress') return { session, step: showEnd(session) }
    if (this.#busy.has(id)) throw new SessionBusy(`Step '${session.step_id}' is being carried out.`)
    this.#busy.add(id)
    try {
      const protocol = this.#protocolOf(session)
      // Before anything is waited for: an abort is to find it.
      const executor = this.#executorOf(id)
      const moved = await advanceSession(protocol, session, inputs, await this.#facts(), executor)
      // Aborted meanwhile: that counts more.
      const present = this.#find(id)
      if (present !== session) return { session: present, step: showEnd(present) }
      return await this.#enter({ session: moved, step: showSession(protocol, moved, await this.#facts()) })
    } finally {
      this.#busy.delete(id)
    }
  }

  /** Ends it, and at once what it does. One that is over stays as it is. @throws SessionUnknown */
  async abort(id: string, reason = 'Aborted by the user.'): Promise<SessionView> {
    const session = this.#find(id)
    if (session.status !== 'in_progress') return { session, step: showEnd(session) }
    const aborted = abortSession(session, reason, this.#deps.clock.now())
    this.#sessions.set(id, aborted)
    await this.#executors.get(id)?.halt()
    return this.#enter({ session: aborted, step: showEnd(aborted) })
  }

  /** What they hold is let go. */
  async stop(): Promise<void> {
    await this.#expiry.stop()
    await Promise.all([...this.#executors.values()].map((executor) => executor.halt()))
  }

  async #enter(view: SessionView): Promise<SessionView> {
    const { unit, bus, logger } = this.#deps
    const { session } = view
    const { session_id: id, status } = session
    const isOver = status !== 'in_progress'
    // Whatever becomes of the event, nothing stays on.
    if (isOver) {
      await this.#executorOf(id)
        .close()
        .catch((error: unknown) => logger.error({ session: id, err: error }, 'calibration session not tidied up'))
      this.#executors.delete(id)
    }
    await publishEvent(bus, calibrationSessionEvent, { unit, session_id: id }, view)
    this.#sessions.set(id, session)
    if (isOver) this.#history.add(id)
    return view
  }

  #find(id: string): CalibrationSession {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new SessionUnknown(`There is no guided calibration '${id}'.`)
    return session
  }

  /** Whatever the configuration says by now. @throws ProtocolUnknown for one of another version */
  #protocolOf({ protocol_name: name }: CalibrationSession): Protocol {
    const found = this.#deps.protocols.find((protocol) => protocol.name === name)
    if (found !== undefined) return found
    throw new ProtocolUnknown(`This version has no protocol '${name}'.`)
  }

  #executorOf(id: string): OwnExecutor {
    const known = this.#executors.get(id)
    if (known !== undefined) return known
    const executor = this.#deps.executorFor(id)
    this.#executors.set(id, executor)
    return executor
  }

  async #facts(): Promise<UnitFacts> {
    const { unit, model, clock, jobs } = this.#deps
    return { unit, model, config: await jobs.config(), now: clock.now() }
  }

  async #expire(): Promise<void> {
    const before = timestampOf(new Date(this.#deps.clock.now().getTime() - EXPIRY_MS))
    for (const { session_id, status, updated_at } of [...this.#sessions.values()]) {
      if (status !== 'in_progress' || updated_at > before || this.#busy.has(session_id)) continue
      await this.abort(session_id, `Nothing happened for ${EXPIRY_MS / 86_400_000} days.`)
    }
  }
}

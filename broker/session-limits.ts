import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Logger } from '../events/ports.js'
import type { Deliveries } from './deliveries.js'
import type { ReceivedMessages } from './received-messages.js'

export interface SessionLimits {
  /** Persistent sessions, connected or not. */
  readonly most: number
  /** A session ends so long after the last connection of its client. */
  readonly expiryMs: number
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A unit has tens of clients; the rest is room for programs that invent a client id at every start. */
export const SESSION_LIMITS: SessionLimits = { most: 2000, expiryMs: 7 * DAY_MS }

/** When there is no room, no client that was connected in the last day loses its session. */
const RECENT_MS = DAY_MS
/** The first look is so long after the start: clients come back after a long power cut before their sessions are looked at. */
const LOOK_MS = 60 * 60 * 1000
/** Sessions that end in one turn. */
const ENDED_AT_ONCE = 100

export interface SessionCounts {
  readonly stored: number
  readonly connected: number
  readonly most: number
}

export interface SessionKeeperOptions {
  readonly deliveries: Deliveries
  readonly received: ReceivedMessages
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: SessionLimits
}

/** Decides which sessions begin and when they end. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions

  constructor(options: SessionKeeperOptions) {
    this.#options = options
  }

  /** Whether the client may have a session: it has one, there is room, or a session that nobody came back to makes room. */
  admits(clientId: string): boolean {
    const { deliveries, limits } = this.#options
    if (deliveries.hasSession(clientId) || deliveries.sessionCounts().stored < limits.most) return true
    const [longestAway] = deliveries.absentSince(this.#now() - RECENT_MS, 1)
    if (longestAway === undefined) return false
    this.#end(longestAway)
    return true
  }

  counts(): SessionCounts {
    return { ...this.#options.deliveries.sessionCounts(), most: this.#options.limits.most }
  }

  /** Ends sessions whose clients have been away for too long, once an hour, until it is stopped. */
  async expire(stop: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options
    for (;;) {
      await clock.sleepUntil(clock.monotonicMs() + LOOK_MS, stop)
      if (stop.aborted) return
      try {
        await this.#endExpired()
      } catch (error) {
        logger.error({ err: error }, 'sessions could not be expired')
      }
    }
  }

  async #endExpired(): Promise<void> {
    const { deliveries, limits, logger } = this.#options
    let ended = 0
    for (;;) {
      const expired = deliveries.absentSince(this.#now() - limits.expiryMs, ENDED_AT_ONCE)
      for (const clientId of expired) this.#end(clientId)
      ended += expired.length
      if (expired.length < ENDED_AT_ONCE) break
      await nextTurn()
    }
    if (ended > 0) logger.info({ sessions: ended }, 'sessions have expired')
  }

  #end(clientId: string): void {
    const { deliveries, received, logger } = this.#options
    deliveries.forgetSession(clientId)
    received.forget(clientId).catch((error: unknown) => {
      logger.warn({ client: clientId, err: error }, 'identifiers of a session that ended are kept')
    })
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }
}

import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Clock, Logger } from '../events/ports.js'
import type { Access } from './access.js'
import { lowerQos, type Message } from './message.js'
import { encodePublish } from './publish-frame.codec.js'
import { RetainedReplay, type Subscription } from './retained-replay.js'
import { RetainedValues } from './retained-values.js'
import type { SendBuffer } from './send-buffer.js'
import { Session, type SessionPorts } from './session.js'
import { SessionStore } from './session-store.js'
import { PassingSubscriber, type Subscriber } from './subscriber.js'
import { SubscriptionTree } from './subscription-tree.js'
import { Turns } from './turns.js'

export interface DeliveriesOptions {
  readonly reader: PagingEventLogReader
  /** SQLite file of persistent sessions. */
  readonly sessionsPath: string
  readonly access: Pick<Access, 'isOrder'>
  readonly clock: Clock
  readonly logger: Logger
}

/** The receiving side of a connection. */
export interface Receiver {
  readonly clientId: string
  /** Nothing of this client is kept when it has gone. */
  readonly clean: boolean
  readonly sendBuffer: SendBuffer
  /** Closes the connection: the client does not do its part. */
  giveUp(): void
}

export interface Attached {
  readonly subscriber: Subscriber
  /** Came back with the session. */
  readonly filters: readonly string[]
}

/** A connected session that nothing is sent to is saved so often; after a kill it reads no more of the log than this in vain. */
const IDLE_EVENTS = 10_000

/** Everything on the way from the log to the subscribers: who subscribed to what, retained values, persistent sessions. Those of
 * absent clients are on disk alone. */
export class Deliveries {
  readonly #tree = new SubscriptionTree<Subscriber>()
  readonly #retained = new RetainedValues()
  readonly #turns = new Turns()
  readonly #store: SessionStore
  readonly #ports: SessionPorts
  /** Sessions of connected clients, and those not saved yet since their client left. */
  readonly #sessions = new Map<string, Session>()
  /** Their client left, and they may not be saved yet. */
  readonly #leaving = new Set<Session>()
  /** Sessions with frames of this turn. */
  readonly #touched = new Set<Session>()
  /** Sessions whose frames wait for the disk. */
  readonly #unwritten = new Set<Session>()
  #position: number
  #idleSavedAt: number

  /** Takes up retained values and sessions from disk. */
  constructor({ reader, sessionsPath, access, clock, logger }: DeliveriesOptions) {
    this.#position = reader.lastPosition()
    this.#idleSavedAt = this.#position
    for (const event of reader.retained('#')) this.#retained.keep(event)
    this.#store = new SessionStore(sessionsPath, { clock, logger }, () => this.#written())
    this.#ports = {
      reader,
      store: this.#store,
      turns: this.#turns,
      isOrder: access.isOrder,
      delivered: () => this.#position,
      startedAt: this.#position,
      unwritten: (session) => this.#unwritten.add(session),
    }
  }

  /** Hands a message to everybody it matches. Recorded ones come in order of position. */
  deliver(message: Message): void {
    if (message.retain) this.#retained.keep(message)
    let encoded: Buffer | undefined
    const frame = (): Buffer => {
      encoded ??= encodePublish({ ...message, qos: 0, retain: false, dup: false, messageId: 0 })
      return encoded
    }
    for (const { subscriber, qos } of this.#tree.match(message.topic)) {
      try {
        subscriber.deliver(message, lowerQos(message.qos, qos), frame)
      } catch (error) {
        subscriber.fail(error)
      }
      if (subscriber instanceof Session) this.#touched.add(subscriber)
    }
    if (message.position > 0) this.#position = message.position
  }

  /** Ends a turn: what must be written is, then the sessions' frames go out. */
  flush(): void {
    for (const session of this.#touched) isSent(session)
    this.#touched.clear()
    if (this.#position - this.#idleSavedAt < IDLE_EVENTS) return
    this.#idleSavedAt = this.#position
    for (const session of this.#sessions.values()) this.#store.moved(session)
  }

  /** A client is here. */
  attach({ clientId, clean, sendBuffer, giveUp }: Receiver): Attached {
    const replay = new RetainedReplay(this.#retained, () => this.#position)
    if (clean) {
      return { subscriber: new PassingSubscriber({ sendBuffer, replay, turns: this.#turns, giveUp }), filters: [] }
    }
    const session = this.#sessions.get(clientId) ?? new Session(clientId, this.#ports, this.#store.find(clientId))
    this.#sessions.set(clientId, session)
    for (const { filter, qos } of session.filters) this.#tree.add(filter, session, qos)
    session.attach({ sendBuffer, replay })
    return { subscriber: session, filters: [...session.filters].map(({ filter }) => filter) }
  }

  detach(subscriber: Subscriber, filters: Iterable<string>): void {
    for (const filter of filters) this.#tree.remove(filter, subscriber)
    if (!(subscriber instanceof Session)) return
    for (const { filter } of subscriber.filters) this.#tree.remove(filter, subscriber)
    if (this.#sessions.get(subscriber.client) === subscriber) this.#leaving.add(subscriber)
    subscriber.detach()
  }

  /** Of a connected client. */
  session(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  hasSession(clientId: string): boolean {
    return this.#sessions.has(clientId) || this.#store.has(clientId)
  }

  /** Nothing is kept for the client any more. */
  forgetSession(clientId: string): void {
    const session = this.#sessions.get(clientId)
    this.#sessions.delete(clientId)
    if (session !== undefined) {
      this.#leaving.delete(session)
      session.end()
    } else if (this.#store.has(clientId)) {
      this.#store.remove(clientId)
    }
  }

  sessionCounts(): { readonly stored: number; readonly connected: number } {
    let connected = 0
    for (const session of this.#sessions.values()) if (session.attached) connected++
    return { stored: this.#store.count(), connected }
  }

  /** Clients that are away and were last here before that time (ms UTC), those longest away first. */
  absentSince(time: number, limit: number): string[] {
    return this.#store
      .seenBefore(time, limit + this.#sessions.size)
      .filter((clientId) => !this.#sessions.has(clientId))
      .slice(0, limit)
  }

  /** Afterwards what a session subscribes to is written. */
  subscribe(subscriber: Subscriber, subscriptions: readonly Subscription[]): void {
    for (const { filter, qos } of subscriptions) {
      if (subscriber instanceof Session) subscriber.subscribe(filter, qos)
      this.#tree.add(filter, subscriber, qos)
    }
    this.#store.flush()
  }

  /** Afterwards a session is without it, also on disk. */
  unsubscribe(subscriber: Subscriber, filters: readonly string[]): void {
    for (const filter of filters) {
      subscriber.unsubscribed(filter)
      this.#tree.remove(filter, subscriber)
    }
    this.#store.flush()
  }

  close(): void {
    this.#store.close()
  }

  #written(): void {
    for (const session of this.#leaving) {
      if (this.#store.isMoving(session)) continue
      this.#leaving.delete(session)
      if (!session.attached) this.#sessions.delete(session.client)
    }
    const waiting = [...this.#unwritten]
    this.#unwritten.clear()
    for (const session of waiting) if (isSent(session)) this.#turns.add(session)
  }
}

/** Sends what a session has prepared; what that throws ends its connection. */
function isSent(session: Session): boolean {
  try {
    return session.transmit()
  } catch (error) {
    session.fail(error)
    return false
  }
}

import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Qos } from '../events/event.js'
import { lowerQos, type Message } from './message.js'
import type { Outbox } from './outbox.js'
import { encodePublish } from './publish-frame.codec.js'
import { RetainedValues } from './retained-values.js'
import { Session } from './session.js'
import type { SessionStore } from './session-store.js'
import type { Subscriber } from './subscriber.js'
import { SubscriptionTree } from './subscription-tree.js'

export interface Subscription {
  readonly filter: string
  readonly qos: Qos
}

/** Everything on the way from the log to the subscribers: who subscribed to what, retained values, persistent sessions. */
export class Deliveries {
  readonly #tree = new SubscriptionTree<Subscriber>()
  readonly #retained = new RetainedValues()
  readonly #sessions = new Map<string, Session>()
  readonly #store: SessionStore
  readonly #reader: PagingEventLogReader
  /** Sessions with frames of this turn. */
  readonly #touched = new Set<Session>()
  #position: number

  /** Takes up retained values and sessions from disk. */
  constructor(reader: PagingEventLogReader, store: SessionStore) {
    this.#reader = reader
    this.#store = store
    this.#position = reader.lastPosition()
    for (const event of reader.retained('#')) this.#retained.keep(event)
    for (const state of store.load()) this.#sessions.set(state.client, new Session(state, this.#source()))
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

  /** Ends a turn: cursors are written, then the sessions' frames go out. */
  flush(): void {
    this.#store.flush()
    for (const session of this.#touched) {
      try {
        session.transmit()
      } catch (error) {
        session.fail(error)
      }
    }
    this.#touched.clear()
  }

  /** Client and packet identifier of every QoS 2 message that sessions received and did not release. */
  *received(): Generator<readonly [string, number]> {
    for (const [clientId, session] of this.#sessions) {
      for (const messageId of session.received) yield [clientId, messageId]
    }
  }

  session(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  /** A client with a persistent session is here. */
  attachSession(clientId: string, outbox: Outbox): Subscriber {
    let session = this.#sessions.get(clientId)
    if (session === undefined) {
      const state = {
        client: clientId,
        sent: this.#position,
        subscriptions: new Map(),
        inFlight: new Map(),
        received: new Set<number>(),
      }
      session = new Session(state, this.#source())
      this.#sessions.set(clientId, session)
    }
    for (const [filter, { qos }] of session.subscriptions) this.#tree.add(filter, session, qos)
    session.attach(outbox)
    return session
  }

  detach(subscriber: Subscriber, filters: Iterable<string>): void {
    for (const filter of filters) this.#tree.remove(filter, subscriber)
    if (!(subscriber instanceof Session)) return
    for (const filter of subscriber.subscriptions.keys()) this.#tree.remove(filter, subscriber)
    subscriber.detach()
  }

  /** The client asked for a clean session: nothing is kept for it. */
  forgetSession(clientId: string): void {
    if (this.#sessions.delete(clientId)) this.#store.remove(clientId)
  }

  /** Afterwards what a session subscribes to is written. */
  subscribe(subscriber: Subscriber, subscriptions: readonly Subscription[]): void {
    for (const { filter, qos } of subscriptions) {
      if (subscriber instanceof Session) subscriber.subscribe(filter, qos)
      this.#tree.add(filter, subscriber, qos)
    }
    this.#store.flush()
  }

  unsubscribe(subscriber: Subscriber, filter: string): void {
    if (subscriber instanceof Session) subscriber.unsubscribe(filter)
    this.#tree.remove(filter, subscriber)
  }

  /** The retained values that match any of the filters, each once, by position. */
  replayRetained(subscriber: Subscriber, subscriptions: readonly Subscription[]): void {
    const found = new Map<Message, Qos>()
    for (const { filter, qos } of subscriptions) {
      for (const message of this.#retained.find(filter)) {
        const granted = lowerQos(message.qos, qos)
        if (granted >= (found.get(message) ?? 0)) found.set(message, granted)
      }
    }
    if (found.size === 0) return
    const messages = [...found].map(([message, qos]) => ({ message, qos }))
    subscriber.replayRetained(messages.sort((a, b) => a.message.position - b.message.position))
  }

  #source(): ConstructorParameters<typeof Session>[1] {
    return { reader: this.#reader, store: this.#store, delivered: () => this.#position }
  }
}

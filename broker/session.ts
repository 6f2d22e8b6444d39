import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Qos, RecordedEvent } from '../events/event.js'
import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import { matchesFilter } from '../events/topic.js'
import { lowerQos, type Message } from './message.js'
import type { Outbox } from './outbox.js'
import { encodePublish, encodePubrel } from './publish-frame.codec.js'
import type { SessionState, SessionStore, SessionSubscription } from './session-store.js'
import { type Answer, nextMessageId, type Subscriber } from './subscriber.js'

/** Where sessions read what they missed. */
export interface SessionSource {
  readonly reader: Pick<PagingEventLogReader, 'page'>
  readonly store: SessionStore
  /** Last position handed to the subscribers that are up to date. */
  delivered(): number
}

/** Messages a client may leave unacknowledged; as Mosquitto is set up on a leader. */
const WINDOW = 1000
/** Retained values come on top of the window, as many as there are; a client that leaves so many unacknowledged gets no more. */
const MOST_IN_FLIGHT = 10 * WINDOW
/** Packet identifiers are 16 bits. */
const MOST_IDENTIFIERS = 60_000
/** One step of catching up: a few ms, then others have their turn. */
const PAGE = { limit: 100, scan: 2000 } as const

/** A persistent session: a cursor into the log. A connected one that is up to date is handed what is delivered; one that was away,
 * or whose window is full, reads the log from its cursor until it has caught up. */
export class Session implements Subscriber {
  readonly #state: SessionState
  readonly #source: SessionSource
  #outbox: Outbox | undefined
  /** Everything up to the last delivered position was considered. */
  #upToDate = false
  /** Of the present subscriptions; undefined when they changed. */
  #match: TopicTest | undefined
  #stepping = false
  /** QoS 0 messages before this position were published while the client was away. */
  #connectedAt = 0
  #lastId = 0
  /** Frames whose cursor is not written yet. */
  #unsent: Buffer[] = []

  constructor(state: SessionState, source: SessionSource) {
    this.#state = state
    this.#source = source
    // A log that was put back from a backup is shorter than the cursor says.
    state.sent = Math.min(state.sent, source.delivered())
  }

  get subscriptions(): ReadonlyMap<string, SessionSubscription> {
    return this.#state.subscriptions
  }

  get received(): ReadonlySet<number> {
    return this.#state.received
  }

  /** The client is here: what was in flight is sent again, then what it missed. */
  attach(outbox: Outbox): void {
    this.#outbox = outbox
    this.#connectedAt = this.#source.delivered()
    this.#source.store.save(this.#state.client, this.#state.sent)
    outbox.replay(this.#framesInFlight())
    this.#catchUp()
  }

  /** The client is gone; the cursor stays. */
  detach(): void {
    if (this.#upToDate) this.#state.sent = this.#source.delivered()
    this.#upToDate = false
    this.#outbox = undefined
    this.#unsent = []
    this.#source.store.save(this.#state.client, this.#state.sent)
  }

  subscribe(filter: string, qos: Qos): void {
    const before = this.#state.subscriptions.get(filter)
    if (before?.qos === qos) return
    const subscription = { qos, since: before?.since ?? this.#source.delivered() }
    this.#state.subscriptions.set(filter, subscription)
    this.#match = undefined
    this.#source.store.subscribe(this.#state.client, filter, subscription)
  }

  unsubscribe(filter: string): void {
    this.#match = undefined
    if (this.#state.subscriptions.delete(filter)) this.#source.store.unsubscribe(this.#state.client, filter)
  }

  deliver(message: Message, qos: Qos, frame: () => Buffer): void {
    const outbox = this.#outbox
    if (outbox === undefined) return
    if (message.position === 0) {
      outbox.write(qos === 0 ? frame() : this.#encode(message, qos, false, this.#takeId()))
      return
    }
    if (!this.#upToDate) return
    if (outbox.full || this.#state.inFlight.size >= WINDOW) {
      this.#state.sent = message.position - 1
      this.#upToDate = false
      this.#later()
      return
    }
    this.#state.sent = message.position
    this.#prepare(message, qos, false)
  }

  replayRetained(messages: readonly { readonly message: Message; readonly qos: Qos }[]): void {
    const { size } = this.#state.inFlight
    if (size > MOST_IN_FLIGHT || size + messages.length > MOST_IDENTIFIERS) {
      this.#outbox?.giveUp()
      return
    }
    for (const { message, qos } of messages) this.#prepare(message, qos, true)
    this.#source.store.flush()
    this.transmit()
  }

  /** Sends what was prepared; its identifiers are written by now. */
  transmit(): void {
    if (this.#unsent.length === 0) return
    const frames = this.#unsent
    this.#unsent = []
    this.#outbox?.replay(frames)
  }

  fail(error: unknown): void {
    this.#outbox?.fail(error)
  }

  awaited(messageId: number): Answer | undefined {
    const inFlight = this.#state.inFlight.get(messageId)
    if (inFlight === undefined) return undefined
    return inFlight.qos === 1 ? 'puback' : inFlight.released ? 'pubcomp' : 'pubrec'
  }

  acknowledged(messageId: number): void {
    if (!this.#state.inFlight.delete(messageId)) return
    this.#source.store.acknowledge(this.#state.client, messageId)
    if (!this.#upToDate) this.#catchUp()
  }

  /** PUBREC came: from now on PUBREL is sent again, not the message. */
  released(messageId: number): void {
    const inFlight = this.#state.inFlight.get(messageId)
    if (inFlight === undefined) return
    inFlight.released = true
    this.#source.store.release(this.#state.client, messageId)
    this.#source.store.flush()
  }

  receive(messageId: number): void {
    this.#state.received.add(messageId)
    this.#source.store.receive(this.#state.client, messageId)
    this.#source.store.flush()
  }

  complete(messageId: number): void {
    if (this.#state.received.delete(messageId)) this.#source.store.complete(this.#state.client, messageId)
  }

  /** One step towards the present; the next follows when the client and other work allow it. */
  #catchUp(): void {
    const outbox = this.#outbox
    if (outbox === undefined || this.#upToDate || this.#stepping) return
    if (outbox.full) {
      outbox.whenWritable(() => this.#catchUp())
      return
    }
    // By the page, not by the message: each step is a query and a transaction.
    if (WINDOW - this.#state.inFlight.size < PAGE.limit) return
    const delivered = this.#source.delivered()
    if (this.#state.sent >= delivered) {
      this.#upToDate = true
      return
    }
    const page = this.#source.reader.page({
      after: this.#state.sent,
      ...PAGE,
      match: this.#wanted(),
    })
    for (const event of page.events) {
      // What is committed but not yet delivered comes live.
      if (event.position > delivered) break
      this.#consider(event)
    }
    this.#state.sent = Math.min(page.position, delivered)
    this.#source.store.save(this.#state.client, this.#state.sent)
    this.#source.store.flush()
    this.transmit()
    this.#later()
  }

  #wanted(): TopicTest {
    this.#match ??= compileFilters(this.#state.subscriptions.keys())
    return this.#match
  }

  #later(): void {
    if (this.#stepping) return
    this.#stepping = true
    setImmediate(() => {
      this.#stepping = false
      this.#outbox?.contain(() => this.#catchUp())
    })
  }

  #consider(event: RecordedEvent): void {
    let granted: Qos | undefined
    for (const [filter, { qos, since }] of this.#state.subscriptions) {
      if (event.position > since && qos >= (granted ?? 0) && matchesFilter(filter, event.topic)) granted = qos
    }
    if (granted === undefined) return
    const qos = lowerQos(event.qos, granted)
    if (qos > 0 || event.position > this.#connectedAt) this.#prepare(event, qos, false)
  }

  #prepare(message: Message, qos: Qos, retain: boolean): void {
    const messageId = qos > 0 ? this.#takeId() : 0
    if (qos > 0 && message.position > 0) {
      const inFlight = { position: message.position, qos, retain, released: false }
      this.#state.inFlight.set(messageId, inFlight)
      this.#source.store.send(this.#state.client, messageId, inFlight)
    }
    this.#unsent.push(this.#encode(message, qos, retain, messageId))
  }

  #encode({ topic, payload }: Message, qos: Qos, retain: boolean, messageId: number, dup = false): Buffer {
    return encodePublish({ topic, payload, qos, retain, dup, messageId })
  }

  #takeId(): number {
    do this.#lastId = nextMessageId(this.#lastId)
    while (this.#state.inFlight.has(this.#lastId))
    return this.#lastId
  }

  #framesInFlight(): Buffer[] {
    const frames: Buffer[] = []
    for (const [messageId, { position, qos, retain, released }] of this.#state.inFlight) {
      if (released) {
        frames.push(encodePubrel(messageId))
        continue
      }
      const [event] = this.#source.reader.page({ after: position - 1, limit: 1, scan: 1 }).events
      if (event !== undefined) frames.push(this.#encode(event, qos, retain, messageId, true))
    }
    return frames
  }
}

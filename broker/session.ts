// Longer than 300 lines: what a session has sent, what is acknowledged and where it reads on change together, in one class.

import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Qos, RecordedEvent } from '../events/event.js'
import { InFlightMessages } from './in-flight-messages.js'
import { lowerQos, type Message } from './message.js'
import { encodePublish, encodePubrel } from './publish-frame.codec.js'
import type { RetainedReplay, Subscription } from './retained-replay.js'
import type { SendBuffer } from './send-buffer.js'
import type {
  InFlight,
  MovingSession,
  SavedSession,
  SessionSnapshot,
  SessionStore,
  SessionSubscription,
} from './session-store.js'
import { type Answer, REPLAY_WINDOW, type Subscriber } from './subscriber.js'
import { SubscriptionTree } from './subscription-tree.js'
import type { SteppedWork, Turns } from './turns.js'

/** What sessions share. */
export interface SessionPorts {
  readonly reader: Pick<PagingEventLogReader, 'page'>
  readonly store: SessionStore
  readonly turns: Turns
  /** Whether a message on this topic makes something happen. */
  isOrder(topic: string): boolean
  /** Last position handed to the subscribers that are up to date. */
  delivered(): number
  /** Last position of the log when the process started. */
  readonly startedAt: number
  /** What the session is about to send could not be written: `transmit` is called when it is. */
  unwritten(session: Session): void
}

/** The connection of a session's client. */
export interface SessionConnection {
  readonly sendBuffer: SendBuffer
  readonly replay: RetainedReplay
}

type Filters = SubscriptionTree<SessionSubscription>

/** Messages a client may leave unacknowledged; as Mosquitto is set up on a leader. */
const WINDOW = 1000
/** One step of catching up, or of sending again: a ms or two, then others have their turn. */
const STEP = { events: 100, rows: 2000, bytes: 64 * 1024 } as const
/** Read at once: four of the largest are what a step can take too much. */
const READ_EVENTS = 4

/** A persistent session: a cursor into the log. A connected one that is up to date is handed what is delivered; one that was away,
 * or whose window is full, reads the log from its cursor until it has caught up. Of QoS 1 the unacknowledged messages are saved with
 * the cursor every second; of QoS 2 each message is written before it is sent, so that it is sent once whatever dies. */
export class Session implements Subscriber, SteppedWork, MovingSession {
  readonly client: string
  readonly #ports: SessionPorts
  readonly #subscriptions: Map<string, SessionSubscription>
  readonly #inFlight: InFlightMessages
  /** Filters whose retained values are sent, but still written as wanted. */
  readonly #replayed = new Set<string>()
  /** Of QoS 1, events up to here may have been sent before the process ended. */
  readonly #maybeSent: number
  /** Every event up to here was considered. */
  #sent: number
  #connection: SessionConnection | undefined
  /** Everything up to the last delivered position was considered. */
  #upToDate = false
  /** QoS 0 messages and orders up to this position were published while the client was away. */
  #connectedAt = 0
  /** Identifiers to be sent again. */
  #resend: number[] = []
  /** The subscriptions by level, while the session reads the log. */
  #filters: Filters | undefined
  /** Frames whose identifiers may not be written yet. */
  #unsent: Buffer[] = []
  /** There are messages of QoS 2 among them. */
  #mustBeWritten = false
  #ended = false

  constructor(client: string, ports: SessionPorts, saved?: SavedSession) {
    this.client = client
    this.#ports = ports
    this.#subscriptions = new Map(saved?.subscriptions)
    this.#inFlight = new InFlightMessages(saved?.inFlight ?? [], ports.delivered())
    this.#maybeSent = saved?.attached === true ? ports.startedAt : 0
    // A log that was put back from a backup is shorter than the cursor says.
    this.#sent = Math.min(saved?.sent ?? ports.delivered(), ports.delivered())
  }

  get filters(): Iterable<Subscription> {
    return [...this.#subscriptions].map(([filter, { qos }]) => ({ filter, qos }))
  }

  get attached(): boolean {
    return this.#connection !== undefined
  }

  /** The client is here: what was in flight is sent again, then what it missed, then retained values it still waits for. */
  attach(connection: SessionConnection): void {
    const { store, turns } = this.#ports
    this.#connection = connection
    this.#connectedAt = this.#ports.delivered()
    this.#resend = [...this.#inFlight.messages.keys()]
    const owed = [...this.#subscriptions].filter(([, { replay }]) => replay)
    connection.replay.ask(owed.map(([filter, { qos }]) => ({ filter, qos })))
    store.saveNow(this)
    turns.add(this)
  }

  /** The client is gone; the cursor stays. */
  detach(): void {
    this.#sent = this.#considered
    this.#upToDate = false
    this.#connection = undefined
    this.#filters = undefined
    this.#unsent = []
    this.#mustBeWritten = false
    if (this.#ended) return
    this.#ports.store.moved(this)
    this.#ports.store.saveSoon()
  }

  /** Nothing is kept of it any more. */
  end(): void {
    this.#ended = true
    this.#ports.store.forget(this)
    this.#ports.store.remove(this.client)
  }

  subscribe(filter: string, qos: Qos): void {
    const before = this.#subscriptions.get(filter)
    const since = before?.since ?? this.#ports.delivered()
    // Retained values of QoS 0 are gone with the connection; the others are owed.
    const subscription = { qos, since, replay: qos > 0 }
    this.#subscriptions.set(filter, subscription)
    this.#filters = undefined
    this.#replayed.delete(filter)
    if (!this.#ended) this.#ports.store.subscribe(this.client, filter, subscription)
  }

  unsubscribed(filter: string): void {
    this.#filters = undefined
    this.#connection?.replay.cancel(filter)
    if (this.#subscriptions.delete(filter) && !this.#ended) this.#ports.store.unsubscribe(this.client, filter)
  }

  deliver(message: Message, qos: Qos, frame: () => Buffer): void {
    const sendBuffer = this.#connection?.sendBuffer
    if (sendBuffer === undefined) return
    if (message.position === 0) {
      sendBuffer.write(qos === 0 ? frame() : this.#encode(message, qos, this.#inFlight.takeId()))
      return
    }
    if (!this.#upToDate) return
    if (sendBuffer.full || this.#inFlight.size >= WINDOW) {
      this.#sent = message.position - 1
      this.#upToDate = false
      this.#ports.turns.add(this)
      return
    }
    this.#prepare(message, qos)
  }

  replayRetained(subscriptions: readonly Subscription[]): void {
    this.#connection?.replay.ask(subscriptions)
    this.#ports.turns.add(this)
  }

  /** Writes the identifiers of what was prepared, and sends it. @returns false when it has to wait for the disk */
  transmit(): boolean {
    if (!this.#ports.store.flush() && this.#mustBeWritten) {
      this.#ports.unwritten(this)
      return false
    }
    this.#mustBeWritten = false
    if (this.#unsent.length === 0) return true
    const frames = this.#unsent
    this.#unsent = []
    this.#connection?.sendBuffer.replay(frames)
    return true
  }

  awaited(messageId: number): Answer | undefined {
    return this.#inFlight.awaited(messageId)
  }

  acknowledged(messageId: number): void {
    if (!this.#inFlight.acknowledge(messageId)) return
    this.#moved()
    if (!this.#upToDate || this.#connection?.replay.pending === true) this.#ports.turns.add(this)
  }

  released(messageId: number): void {
    const message = this.#inFlight.release(messageId)
    if (message === undefined) return
    this.#keep(messageId, message)
    if (!this.#ports.store.flush()) throw new Error('sessions cannot be written')
  }

  fail(error: unknown): void {
    this.#connection?.sendBuffer.fail(error)
  }

  /** Sends again, catches up, or sends retained values, in this order. */
  step(): boolean {
    const connection = this.#connection
    if (connection === undefined) return false
    if (connection.sendBuffer.full) {
      connection.sendBuffer.whenWritable(() => this.#ports.turns.add(this))
      return false
    }
    if (this.#resend.length > 0) this.#sendAgain()
    else if (!this.#upToDate) {
      // By the page, not by the message: each step is a query.
      if (WINDOW - this.#inFlight.size < STEP.events) return false
      this.#catchUp()
    } else if (!this.#replay(connection.replay)) return false
    return this.transmit()
  }

  snapshot(): SessionSnapshot {
    return {
      client: this.client,
      sent: this.#considered,
      attached: this.attached,
      inFlight: this.#inFlight.messages,
      completed: this.#inFlight.completed,
      replayed: this.#replayed,
    }
  }

  saved(): void {
    this.#inFlight.saved()
    this.#replayed.clear()
  }

  get #considered(): number {
    return this.#upToDate ? this.#ports.delivered() : this.#sent
  }

  /** What an earlier connection left without an answer. */
  #sendAgain(): void {
    let bytes = 0
    let sent = 0
    for (const messageId of this.#resend.slice(0, STEP.events)) {
      if (bytes >= STEP.bytes) break
      bytes += this.#sendOneAgain(messageId)
      sent++
    }
    this.#resend.splice(0, sent)
  }

  /** @returns bytes of the message */
  #sendOneAgain(messageId: number): number {
    const message = this.#inFlight.messages.get(messageId)
    if (message === undefined) return 0
    const { position, qos, retain, state } = message
    if (state === 'released') {
      this.#unsent.push(encodePubrel(messageId))
      return 0
    }
    const event = this.#ports.reader.page({ after: position - 1, limit: 1, scan: 1 }).events[0]
    if (event === undefined || (this.#ports.isOrder(event.topic) && !retain)) {
      this.#withhold(messageId)
      return 0
    }
    this.#unsent.push(this.#encode(event, qos, messageId, { retain, dup: true }))
    return event.payload.length
  }

  /** An order of the former connection is not given again: its time is over. */
  #withhold(messageId: number): void {
    const message = this.#inFlight.abandon(messageId)
    this.#moved()
    if (message !== undefined) this.#keep(messageId, message)
  }

  #catchUp(): void {
    const delivered = this.#ports.delivered()
    if (this.#sent >= delivered) {
      this.#upToDate = true
      this.#filters = undefined
      return
    }
    this.#filters ??= this.#byLevel()
    const filters = this.#filters
    const match = (topic: string): boolean => filters.match(topic).length > 0
    const end = Math.min(this.#sent + STEP.rows, delivered)
    let bytes = 0
    for (let read = 0; this.#sent < end && read < STEP.events && bytes < STEP.bytes; read += READ_EVENTS) {
      // What is committed but not yet delivered comes live.
      const scan = end - this.#sent
      const page = this.#ports.reader.page({ after: this.#sent, match, limit: READ_EVENTS, scan })
      for (const event of page.events) {
        bytes += event.payload.length
        this.#consider(event, filters)
      }
      this.#sent = page.position
    }
    this.#moved()
  }

  #consider(event: RecordedEvent, filters: Filters): void {
    const { position, topic } = event
    if (this.#inFlight.wasSentOnce(position)) return
    const granted = grantedTo(event, filters)
    if (granted === undefined) return
    const qos = lowerQos(event.qos, granted)
    if (position <= this.#connectedAt && (qos === 0 || this.#ports.isOrder(topic))) return
    this.#prepare(event, qos, { retain: false, dup: qos === 1 && position <= this.#maybeSent })
  }

  #byLevel(): Filters {
    const filters = new SubscriptionTree<SessionSubscription>()
    for (const [filter, subscription] of this.#subscriptions) filters.add(filter, subscription, subscription.qos)
    return filters
  }

  /** @returns whether there may be more */
  #replay(replay: RetainedReplay): boolean {
    const room = REPLAY_WINDOW - this.#inFlight.size
    if (!replay.pending || room <= 0) return false
    const values = replay.take(room, (filters) => {
      for (const filter of filters) this.#replayFinished(filter)
    })
    for (const { message, qos } of values) this.#prepare(message, qos, { retain: true, dup: false })
    return true
  }

  #replayFinished(filter: string): void {
    const subscription = this.#subscriptions.get(filter)
    if (subscription?.replay !== true) return
    this.#subscriptions.set(filter, { ...subscription, replay: false })
    this.#replayed.add(filter)
    this.#moved()
  }

  #prepare(message: Message, qos: Qos, flags = { retain: false, dup: false }): void {
    const messageId = qos > 0 ? this.#inFlight.takeId() : 0
    if (qos > 0 && message.position > 0) {
      const inFlight: InFlight = { position: message.position, qos, retain: flags.retain, state: 'sent' }
      this.#inFlight.add(messageId, inFlight)
      this.#moved()
      if (qos === 2) {
        this.#keep(messageId, inFlight)
        this.#mustBeWritten = true
      }
    }
    this.#unsent.push(this.#encode(message, qos, messageId, flags))
  }

  #moved(): void {
    if (!this.#ended) this.#ports.store.moved(this)
  }

  #keep(messageId: number, message: InFlight): void {
    if (!this.#ended) this.#ports.store.keep(this.client, messageId, message)
  }

  #encode({ topic, payload }: Message, qos: Qos, messageId: number, flags = { retain: false, dup: false }): Buffer {
    return encodePublish({ topic, payload, qos, messageId, ...flags })
  }
}

/** The highest granted to the filters that match and were there when the event came. */
function grantedTo({ topic, position }: RecordedEvent, filters: Filters): Qos | undefined {
  let granted: Qos | undefined
  for (const { subscriber, qos } of filters.match(topic)) {
    if (position > subscriber.since && qos >= (granted ?? 0)) granted = qos
  }
  return granted
}

import type { PagingEventLogReader } from '../event-log/reader.js'
import type { RecordedEvent } from '../events/event.js'
import type { Alarm } from '../primitives/alarm.js'
import { InFlight } from './in-flight.js'
import type { PeerConnection } from './peer-connection.js'
import type { Routes } from './routes.js'

export interface ForwarderOptions {
  readonly reader: PagingEventLogReader
  readonly routes: Routes
  /** The client that brings what comes from this peer: it is not sent back. */
  readonly importer: string
  /** Everything up to here is with the peer. */
  readonly from: number
  /** Called at every event that is sent. */
  readonly onSent: (position: number) => void
}

/** Sent and not acknowledged: the peer's memory and ours. */
const MOST_EVENTS = 1000
const MOST_BYTES = 4 * 1024 * 1024
const PAGE_EVENTS = 500
/** A peer that answers, but acknowledges nothing of what it was sent, is left. */
const STALLED_MS = 30_000
/** Commits of another process are not announced. */
const POLL_MS = 1000

/** Sends the events of the log that are the peer's, in log order, over one connection. */
export class Forwarder {
  readonly #connection: PeerConnection
  readonly #options: ForwarderOptions
  readonly #inFlight = new InFlight()
  #looked: number
  #lastProgress = performance.now()
  #room: (() => void) | undefined
  #ended = false

  constructor(connection: PeerConnection, options: ForwarderOptions) {
    this.#connection = connection
    this.#options = options
    this.#looked = options.from
    void connection.ended.then(() => {
      this.#ended = true
      this.#room?.()
    })
  }

  /** The peer has acknowledged everything up to here. */
  get position(): number {
    return this.#inFlight.doneUpTo(this.#looked)
  }

  /** Everything up to here was sent. */
  get looked(): number {
    return this.#looked
  }

  /** Sends what there is and what comes, until the connection ends or `stop` is aborted: then what is in the log by now.
   * @param onCurrent called whenever everything in the log is sent */
  async run(alarm: Alarm, stop: AbortSignal, onCurrent: () => Promise<void>): Promise<void> {
    const stalled = setInterval(() => this.#endIfStalled(), 1000)
    try {
      while (!this.#ended) {
        if (await this.#sendPage()) continue
        await onCurrent()
        if (stop.aborted) return
        await Promise.race([alarm.wait(0, POLL_MS), this.#connection.ended])
      }
    } finally {
      clearInterval(stalled)
    }
  }

  /** Sends a retained value once more, between two events. Resolves when it is acknowledged, or the connection has ended. */
  async sendAgain(topic: string, payload: Uint8Array): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => {
      this.#connection.publish({ topic, payload, qos: 1, retain: true }, resolve)
    })
    await Promise.race([acknowledged, this.#connection.ended])
  }

  /** Resolves when everything is acknowledged, or the connection has ended. */
  async settled(): Promise<void> {
    while (!this.#ended && this.#inFlight.events > 0) await this.#acknowledgement()
  }

  /** @returns whether there may be more */
  async #sendPage(): Promise<boolean> {
    const { reader, routes, importer, onSent } = this.#options
    const page = reader.page({ after: this.#looked, limit: PAGE_EVENTS, match: routes.isForwarded })
    for (const event of page.events) {
      const qos = event.qos === 2 ? 2 : 1
      while (!this.#ended && !this.#hasRoomFor(event, qos)) await this.#acknowledgement()
      if (this.#ended) return false
      if (event.client !== importer) {
        this.#publish(event, qos)
        onSent(event.position)
      }
      this.#looked = event.position
    }
    this.#looked = page.position
    // Sockets have their turn between two pages.
    await new Promise(setImmediate)
    return this.#looked < reader.lastPosition()
  }

  #hasRoomFor({ payload }: RecordedEvent, qos: 1 | 2): boolean {
    const { events, bytes, exactlyOnce } = this.#inFlight
    if (events === 0) return true
    // A message of QoS 2 is handed on when it is released: what comes behind it waits, or would be first.
    if (exactlyOnce > 0 && qos !== 2) return false
    return events < MOST_EVENTS && bytes + payload.length <= MOST_BYTES
  }

  /** What was recorded with QoS 0 is sent with QoS 1: without an acknowledgement nobody knows whether it arrived. */
  #publish({ position, topic, payload, retain }: RecordedEvent, qos: 1 | 2): void {
    if (this.#inFlight.events === 0) this.#lastProgress = performance.now()
    this.#inFlight.sent(position, payload.length, qos)
    this.#connection.publish({ topic, payload, qos, retain }, () => {
      this.#inFlight.acknowledged(position)
      this.#lastProgress = performance.now()
      this.#room?.()
    })
  }

  #acknowledgement(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  #endIfStalled(): void {
    if (this.#inFlight.events === 0 || performance.now() - this.#lastProgress < STALLED_MS) return
    this.#connection.drop(`the peer acknowledged nothing for ${STALLED_MS / 1000} s`)
  }
}

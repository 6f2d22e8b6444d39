import type { InFlight } from './session-store.js'
import { type Answer, nextMessageId } from './subscriber.js'

/** Identifiers that stay taken because an order was withheld; beyond that the oldest is given out again. */
const MOST_ABANDONED = 1000

/** What a session has sent and its client has not answered, by packet identifier in the order sent. */
export class InFlightMessages {
  readonly #messages = new Map<number, InFlight>()
  /** The client may have them, but was not to get them any more: their identifiers stay taken. */
  readonly #abandoned = new Map<number, InFlight>()
  /** Answered messages of QoS 2 that are still written as in flight. */
  readonly #completed = new Set<number>()
  /** Positions of messages of QoS 2 that were sent when the session was saved. */
  readonly #sentOnce = new Set<number>()
  #lastId = 0

  /** @param last position of the log: what came later went with a log that was put back from a backup */
  constructor(saved: Iterable<readonly [number, InFlight]>, last: number) {
    for (const [messageId, message] of saved) {
      if (message.position > last) {
        if (message.qos === 2) this.#completed.add(messageId)
        continue
      }
      const messages = message.state === 'abandoned' ? this.#abandoned : this.#messages
      messages.set(messageId, message)
      if (message.qos === 2 && !message.retain) this.#sentOnce.add(message.position)
      this.#lastId = Math.max(this.#lastId, messageId)
    }
  }

  get size(): number {
    return this.#messages.size
  }

  get messages(): ReadonlyMap<number, InFlight> {
    return this.#messages
  }

  get completed(): ReadonlySet<number> {
    return this.#completed
  }

  /** Whether the event was sent with QoS 2 before the session was saved. */
  wasSentOnce(position: number): boolean {
    return this.#sentOnce.has(position)
  }

  /** An identifier that stands for nothing else. */
  takeId(): number {
    do this.#lastId = nextMessageId(this.#lastId)
    while (this.#messages.has(this.#lastId) || this.#abandoned.has(this.#lastId) || this.#completed.has(this.#lastId))
    return this.#lastId
  }

  add(messageId: number, message: InFlight): void {
    this.#messages.set(messageId, message)
  }

  awaited(messageId: number): Answer | undefined {
    const message = this.#messages.get(messageId) ?? this.#abandoned.get(messageId)
    if (message === undefined) return undefined
    if (message.qos === 1) return 'puback'
    return message.state === 'released' ? 'pubcomp' : 'pubrec'
  }

  /** PUBREC came. @returns the message in its new state; undefined when there is none of QoS 2 */
  release(messageId: number): InFlight | undefined {
    const message = this.#messages.get(messageId) ?? this.#abandoned.get(messageId)
    if (message?.qos !== 2) return undefined
    this.#abandoned.delete(messageId)
    this.#messages.set(messageId, message)
    message.state = 'released'
    return message
  }

  /** PUBACK or PUBCOMP came. @returns whether there was such a message */
  acknowledge(messageId: number): boolean {
    const message = this.#messages.get(messageId)
    if (message === undefined) return false
    this.#messages.delete(messageId)
    if (message.qos === 2) this.#completed.add(messageId)
    return true
  }

  /** The message is not sent again. @returns it when it has to be written so: its client may hold the identifier */
  abandon(messageId: number): InFlight | undefined {
    const message = this.#messages.get(messageId)
    this.#messages.delete(messageId)
    if (message?.qos !== 2) return undefined
    message.state = 'abandoned'
    this.#abandoned.set(messageId, message)
    const [oldest] = this.#abandoned.keys()
    if (oldest !== undefined && this.#abandoned.size > MOST_ABANDONED) {
      this.#abandoned.delete(oldest)
      this.#completed.add(oldest)
    }
    return message
  }

  /** What is complete is written so. */
  saved(): void {
    this.#completed.clear()
  }
}

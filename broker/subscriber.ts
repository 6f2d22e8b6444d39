import type { Qos } from '../events/event.js'
import type { Message } from './message.js'
import type { Outbox } from './outbox.js'
import { encodePublish } from './publish-frame.codec.js'

/** What a client says of a message it was sent. */
export type Answer = 'puback' | 'pubrec' | 'pubcomp'

/** What a message is handed to: the one receiving side of a client, however many filters it has. */
export interface Subscriber {
  /** Called in log order with the QoS lowered to what was granted. `frame` is the packet for QoS 0, shared by all. */
  deliver(message: Message, qos: Qos, frame: () => Buffer): void
  /** Retained values a new subscription asks for. */
  replayRetained(messages: readonly { readonly message: Message; readonly qos: Qos }[]): void
  /** The answer that a message in flight waits for; undefined when there is none with this identifier. */
  awaited(messageId: number): Answer | undefined
  /** PUBREC came for a message of QoS 2. */
  released(messageId: number): void
  /** PUBACK or PUBCOMP came: the identifier is free. */
  acknowledged(messageId: number): void
  /** Work for this client failed: its connection ends. */
  fail(error: unknown): void
}

export const nextMessageId = (id: number): number => (id >= 65_535 ? 1 : id + 1)

/** Packet identifiers are 16 bits; a client that leaves so many unanswered has stopped working. */
const MOST_UNACKNOWLEDGED = 60_000

/** A client with a clean session: what it misses is gone. */
export class PassingSubscriber implements Subscriber {
  readonly #outbox: Outbox
  readonly #giveUp: () => void
  #lastId = 0
  readonly #inFlight = new Map<number, Answer>()

  constructor(outbox: Outbox, giveUp: () => void) {
    this.#outbox = outbox
    this.#giveUp = giveUp
  }

  deliver(message: Message, qos: Qos, frame: () => Buffer): void {
    this.#outbox.write(qos === 0 ? frame() : this.#encode(message, qos, false))
    if (this.#inFlight.size > MOST_UNACKNOWLEDGED) this.#giveUp()
  }

  replayRetained(messages: readonly { readonly message: Message; readonly qos: Qos }[]): void {
    this.#outbox.replay(messages.map(({ message, qos }) => this.#encode(message, qos, true)))
  }

  awaited(messageId: number): Answer | undefined {
    return this.#inFlight.get(messageId)
  }

  released(messageId: number): void {
    this.#inFlight.set(messageId, 'pubcomp')
  }

  acknowledged(messageId: number): void {
    this.#inFlight.delete(messageId)
  }

  fail(error: unknown): void {
    this.#outbox.fail(error)
  }

  #encode({ topic, payload }: Message, qos: Qos, retain: boolean): Buffer {
    if (qos > 0) {
      do this.#lastId = nextMessageId(this.#lastId)
      while (this.#inFlight.has(this.#lastId))
      this.#inFlight.set(this.#lastId, qos === 1 ? 'puback' : 'pubrec')
    }
    return encodePublish({ topic, payload, qos, retain, dup: false, messageId: this.#lastId })
  }
}

import type { Qos } from '../events/event.js'
import type { Message } from './message.js'
import { encodePublish } from './publish-frame.codec.js'
import type { RetainedReplay, Subscription } from './retained-replay.js'
import type { SendBuffer } from './send-buffer.js'
import type { SteppedWork, Turns } from './turns.js'

/** What a client says of a message it was sent. */
export type Answer = 'puback' | 'pubrec' | 'pubcomp'

/** What a message is handed to: the one receiving side of a client, however many filters it has. */
export interface Subscriber {
  /** Called in log order with the QoS lowered to what was granted. `frame` is the packet for QoS 0, shared by all. */
  deliver(message: Message, qos: Qos, frame: () => Buffer): void
  /** Retained values are asked for by new subscriptions, and no longer when one is gone. */
  replayRetained(subscriptions: readonly Subscription[]): void
  unsubscribed(filter: string): void
  /** The answer that a message in flight waits for; undefined when there is none with this identifier. */
  awaited(messageId: number): Answer | undefined
  /** PUBREC came for a message of QoS 2. PUBREL may be sent when this returns.
   * @throws Error when that could not be written: the message is sent again at the next connection, and PUBREC with it */
  released(messageId: number): void
  /** PUBACK or PUBCOMP came: the identifier is free. */
  acknowledged(messageId: number): void
  /** Work for this client failed: its connection ends. */
  fail(error: unknown): void
}

export const nextMessageId = (id: number): number => (id >= 65_535 ? 1 : id + 1)

/** Retained values a client may leave unacknowledged: half of the window, so that live messages have room beside them. */
export const REPLAY_WINDOW = 500

/** Packet identifiers are 16 bits; a client that leaves so many unanswered has stopped working. */
const MOST_UNACKNOWLEDGED = 60_000

export interface PassingSubscriberPorts {
  readonly sendBuffer: SendBuffer
  readonly replay: RetainedReplay
  readonly turns: Turns
  /** Closes the connection: the client does not do its part. */
  giveUp(): void
}

/** A client with a clean session: what it misses is gone. */
export class PassingSubscriber implements Subscriber, SteppedWork {
  readonly #ports: PassingSubscriberPorts
  #lastId = 0
  readonly #inFlight = new Map<number, Answer>()

  constructor(ports: PassingSubscriberPorts) {
    this.#ports = ports
  }

  deliver(message: Message, qos: Qos, frame: () => Buffer): void {
    this.#ports.sendBuffer.write(qos === 0 ? frame() : this.#encode(message, qos, false))
    if (this.#inFlight.size > MOST_UNACKNOWLEDGED) this.#ports.giveUp()
  }

  replayRetained(subscriptions: readonly Subscription[]): void {
    this.#ports.replay.ask(subscriptions)
    this.#ports.turns.add(this)
  }

  unsubscribed(filter: string): void {
    this.#ports.replay.cancel(filter)
  }

  awaited(messageId: number): Answer | undefined {
    return this.#inFlight.get(messageId)
  }

  released(messageId: number): void {
    this.#inFlight.set(messageId, 'pubcomp')
  }

  acknowledged(messageId: number): void {
    this.#inFlight.delete(messageId)
    if (this.#ports.replay.pending) this.#ports.turns.add(this)
  }

  fail(error: unknown): void {
    this.#ports.sendBuffer.fail(error)
  }

  step(): boolean {
    const { sendBuffer, replay, turns } = this.#ports
    if (sendBuffer.closed || !replay.pending) return false
    if (sendBuffer.full) {
      sendBuffer.whenWritable(() => turns.add(this))
      return false
    }
    const room = REPLAY_WINDOW - this.#inFlight.size
    if (room <= 0) return false
    sendBuffer.replay(replay.take(room).map(({ message, qos }) => this.#encode(message, qos, true)))
    return replay.pending
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

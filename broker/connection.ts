import type { Client } from 'aedes'
import type { PacketHandler } from './client-packets.codec.js'
import { sayGoodbye } from './client-packets.js'
import type { Deliveries } from './deliveries.js'
import { ProtocolViolation } from './protocol-violation.js'
import { encodePubrel, type PublishFrame } from './publish-frame.codec.js'
import type { Publisher } from './publisher.js'
import type { SendBuffer } from './send-buffer.js'
import {
  encodeSuback,
  encodeUnsuback,
  SUBSCRIPTION_REFUSED,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from './subscribe.codec.js'
import type { Answer, Subscriber } from './subscriber.js'
import { subscriptionProblem } from './subscription-limits.js'

const PINGRESP = Buffer.of(0xd0, 0)

export interface ConnectionParts {
  readonly client: Client
  readonly publisher: Publisher
  readonly subscriber: Subscriber
  readonly sendBuffer: SendBuffer
  readonly deliveries: Deliveries
  /** Filters that came back with the session. */
  readonly filters: Iterable<string>
  /** Told of the filters of a packet that are not granted. */
  refused(filters: readonly string[], reason: string): void
}

/** One connected client: answers its packets, and holds what it publishes and subscribes with. */
export class Connection implements PacketHandler {
  readonly client: Client
  readonly publisher: Publisher
  readonly #parts: ConnectionParts
  readonly #filters: Set<string>

  constructor(parts: ConnectionParts) {
    this.client = parts.client
    this.publisher = parts.publisher
    this.#parts = parts
    this.#filters = new Set(parts.filters)
  }

  publish(frame: PublishFrame): void {
    this.publisher.receive(frame)
  }

  puback(messageId: number): void {
    if (this.#awaits('puback', messageId)) this.#parts.subscriber.acknowledged(messageId)
  }

  pubrec(messageId: number): void {
    const { subscriber, sendBuffer } = this.#parts
    if (this.#awaits('pubrec', messageId)) subscriber.released(messageId)
    // Also when it is not known: the client would wait for it for ever.
    sendBuffer.answer(encodePubrel(messageId))
  }

  pubrel(messageId: number): void {
    this.publisher.release(messageId)
  }

  pubcomp(messageId: number): void {
    if (this.#awaits('pubcomp', messageId)) this.#parts.subscriber.acknowledged(messageId)
  }

  subscribe({ messageId, requests }: SubscribePacket): void {
    const { subscriber, sendBuffer, deliveries } = this.#parts
    const { granted, codes } = this.#grant(requests)
    deliveries.subscribe(subscriber, granted)
    sendBuffer.answer(encodeSuback(messageId, codes))
    subscriber.replayRetained(granted)
  }

  unsubscribe({ messageId, filters }: UnsubscribePacket): void {
    const { subscriber, sendBuffer, deliveries } = this.#parts
    deliveries.unsubscribe(
      subscriber,
      filters.filter((filter) => this.#filters.delete(filter)),
    )
    sendBuffer.answer(encodeUnsuback(messageId))
  }

  pingreq(): void {
    this.#parts.sendBuffer.answer(PINGRESP)
  }

  disconnect(): void {
    sayGoodbye(this.client)
  }

  /** The connection has ended. */
  end(): void {
    const { sendBuffer, deliveries, subscriber } = this.#parts
    sendBuffer.close()
    deliveries.detach(subscriber, this.#filters)
  }

  /** Of equal filters the last counts. */
  #grant(requests: readonly SubscriptionRequest[]): { granted: SubscriptionRequest[]; codes: number[] } {
    const granted = new Map<string, SubscriptionRequest>()
    const refused: string[] = []
    let reason = ''
    const codes = requests.map((request) => {
      const { filter, qos } = request
      const problem = subscriptionProblem(filter, this.#filters.has(filter) ? 0 : this.#filters.size)
      if (problem === null) {
        this.#filters.add(filter)
        granted.set(filter, request)
        return qos
      }
      refused.push(filter)
      reason = problem
      return SUBSCRIPTION_REFUSED
    })
    if (refused.length > 0) this.#parts.refused(refused, reason)
    return { granted: [...granted.values()], codes }
  }

  /** Whether a message waits for this answer. One that nothing waits for is late, and harmless; another answer than the one awaited
   * would free the identifier of a message that is still on its way. */
  #awaits(answer: Answer, messageId: number): boolean {
    const awaited = this.#parts.subscriber.awaited(messageId)
    if (awaited === undefined || awaited === answer) return awaited !== undefined
    // PUBREC is repeated when PUBREL was lost.
    if (answer === 'pubrec' && awaited === 'pubcomp') return false
    throw new ProtocolViolation(
      `${answer.toUpperCase()} for message ${messageId}, which waits for ${awaited.toUpperCase()}`,
    )
  }
}

import { Readable } from 'node:stream'
import type { Qos } from '../events/event.js'
import type { Deliveries } from './deliveries.js'
import type { ReceivedMessages } from './received-messages.js'

interface ClientRef {
  readonly id: string
  readonly clean?: boolean
}

interface PacketRef {
  readonly cmd?: string
  readonly messageId: number
}

/** What Aedes asks of its persistence, answered from the log's own bookkeeping: nothing is stored twice. Retained values and
 * queues never pass here, because `Deliveries` sends them in log order; wills live as long as their connection. */
export class AedesPersistence {
  readonly #deliveries: Deliveries
  readonly #received: ReceivedMessages
  /** Called with the client id when one of its messages was acknowledged. */
  readonly #acknowledged: (clientId: string, messageId: number) => void

  constructor(
    deliveries: Deliveries,
    received: ReceivedMessages,
    acknowledged: (clientId: string, messageId: number) => void,
  ) {
    this.#deliveries = deliveries
    this.#received = received
    this.#acknowledged = acknowledged
  }

  async setup(): Promise<void> {
    return
  }

  createRetainedStreamCombi(): Readable {
    return Readable.from([])
  }

  outgoingStream(): Readable {
    return Readable.from([])
  }

  streamWill(): Readable {
    return Readable.from([])
  }

  async subscriptionsByClient({ id }: ClientRef): Promise<{ readonly topic: string; readonly qos: Qos }[]> {
    const subscriptions = this.#deliveries.session(id)?.subscriptions ?? []
    return [...subscriptions].map(([topic, { qos }]) => ({ topic, qos }))
  }

  async cleanSubscriptions({ id }: ClientRef): Promise<void> {
    this.#deliveries.forgetSession(id)
  }

  async addSubscriptions(): Promise<void> {
    return
  }

  async removeSubscriptions(): Promise<void> {
    return
  }

  /** Called for PUBREC, before PUBREL is sent. */
  async outgoingUpdate({ id }: ClientRef, packet: PacketRef): Promise<void> {
    if (packet.cmd === 'pubrel') this.#deliveries.session(id)?.released(packet.messageId)
  }

  /** Called for PUBACK and PUBCOMP. */
  async outgoingClearMessageId({ id }: ClientRef, { messageId }: PacketRef): Promise<void> {
    this.#acknowledged(id, messageId)
  }

  /** Rejects for a message that is not waiting for its release, as Aedes expects. */
  async incomingGetPacket({ id }: ClientRef, packet: PacketRef): Promise<PacketRef> {
    if (this.#received.find(id, packet.messageId) === undefined) throw new Error('no such packet')
    return packet
  }

  async incomingDelPacket({ id }: ClientRef, { messageId }: PacketRef): Promise<void> {
    this.#received.remove(id, messageId)
    this.#deliveries.session(id)?.complete(messageId)
  }

  async cleanIncoming({ id }: ClientRef): Promise<void> {
    this.#received.forget(id)
  }

  async putWill(): Promise<void> {
    return
  }

  async delWill(): Promise<void> {
    return
  }

  async destroy(): Promise<void> {
    return
  }
}

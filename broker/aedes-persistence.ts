import { Readable } from 'node:stream'
import type { Qos } from '../events/event.js'
import type { Deliveries } from './deliveries.js'
import type { ReceivedMessages } from './received-messages.js'

interface ClientRef {
  readonly id: string
}

/** What Aedes asks of its persistence, answered from the log's own bookkeeping: nothing is stored twice. Retained values,
 * queues and acknowledgements never pass here, see `Connection`; wills live as long as their connection. */
export class AedesPersistence {
  readonly #deliveries: Deliveries
  readonly #received: ReceivedMessages

  constructor(deliveries: Deliveries, received: ReceivedMessages) {
    this.#deliveries = deliveries
    this.#received = received
  }

  async setup(): Promise<void> {
    return
  }

  outgoingStream(): Readable {
    return Readable.from([])
  }

  streamWill(): Readable {
    return Readable.from([])
  }

  /** Aedes asks in order to tell the client that its session is present; the subscriptions themselves come back with the session.
   * A client without one may use all its identifiers anew. */
  async subscriptionsByClient({ id }: ClientRef): Promise<readonly { readonly topic: string; readonly qos: Qos }[]> {
    if (this.#deliveries.hasSession(id)) return [{ topic: 'present', qos: 0 }]
    await this.#received.forget(id)
    return []
  }

  async cleanSubscriptions({ id }: ClientRef): Promise<void> {
    this.#deliveries.forgetSession(id)
  }

  /** Called for a client with a clean session before its CONNACK, and when it has gone. */
  async cleanIncoming({ id }: ClientRef): Promise<void> {
    await this.#received.forget(id)
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

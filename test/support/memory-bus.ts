import type { Qos } from '../../events/event.js'
import type { BusMessage, MessageBus, PublishOptions } from '../../events/ports.js'
import { matchesFilter } from '../../events/topic.js'

export interface Published {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
  readonly qos: Qos
}

interface Subscriber {
  readonly filter: string
  readonly handler: (message: BusMessage) => void
}

/** A broker in memory: delivers in order, keeps retained values, remembers everything. */
export class MemoryBroker {
  readonly published: Published[] = []
  readonly retained = new Map<string, Buffer>()
  readonly #subscribers = new Set<Subscriber>()
  /** Those who get what is published on a topic, since the last change of a subscription. */
  readonly #audiences = new Map<string, readonly Subscriber[]>()
  readonly #buses = new Set<MemoryBus>()
  #connected = true

  connect(will?: { readonly topic: string; readonly payload: string }): MemoryBus {
    const bus = new MemoryBus(this, will)
    this.#buses.add(bus)
    return bus
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Cuts or restores every connection. */
  setConnected(connected: boolean): void {
    this.#connected = connected
    for (const bus of this.#buses) bus.notify()
  }

  deliver(topic: string, payload: Buffer, retain: boolean, qos: Qos = 1): void {
    this.published.push({ topic, payload: payload.toString(), retain, qos })
    if (retain && payload.length > 0) this.retained.set(topic, payload)
    if (retain && payload.length === 0) this.retained.delete(topic)
    for (const { handler } of this.#audienceOf(topic)) handler({ topic, payload, retain: false })
  }

  subscribe(filter: string, handler: (message: BusMessage) => void): () => void {
    const entry = { filter, handler }
    this.#subscribers.add(entry)
    this.#audiences.clear()
    for (const [topic, payload] of this.retained) {
      if (matchesFilter(filter, topic)) handler({ topic, payload, retain: true })
    }
    return () => {
      this.#subscribers.delete(entry)
      this.#audiences.clear()
    }
  }

  #audienceOf(topic: string): readonly Subscriber[] {
    const known = this.#audiences.get(topic)
    if (known !== undefined) return known
    const audience = [...this.#subscribers].filter(({ filter }) => matchesFilter(filter, topic))
    this.#audiences.set(topic, audience)
    return audience
  }

  /** Payloads published on a topic so far. */
  payloads(topic: string): string[] {
    return this.published.filter((message) => message.topic === topic).map(({ payload }) => payload)
  }
}

export class MemoryBus implements MessageBus {
  readonly #broker: MemoryBroker
  readonly #will: { readonly topic: string; readonly payload: string } | undefined
  readonly #listeners = new Set<(connected: boolean) => void>()

  constructor(broker: MemoryBroker, will?: { readonly topic: string; readonly payload: string }) {
    this.#broker = broker
    this.#will = will
  }

  get connected(): boolean {
    return this.#broker.connected
  }

  async publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (!this.connected) throw new Error('not connected')
    this.#broker.deliver(topic, Buffer.from(payload as string), options.retain === true, options.qos)
  }

  async subscribe(filter: string, handler: (message: BusMessage) => void): Promise<() => Promise<void>> {
    const end = this.#broker.subscribe(filter, handler)
    return async () => end()
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener)
    listener(this.connected)
    return () => this.#listeners.delete(listener)
  }

  notify(): void {
    for (const listener of this.#listeners) listener(this.connected)
  }

  /** What the broker does when the connection ends without DISCONNECT. */
  die(): void {
    if (this.#will !== undefined) this.#broker.deliver(this.#will.topic, Buffer.from(this.#will.payload), true)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}

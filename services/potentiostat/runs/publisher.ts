import type { MessageBus } from '../../../events/ports.js'

/** Bytes that may wait for the broker. */
const CAPACITY_BYTES = 8 * 1024 * 1024

/** Publishes the events of one run in order without making the measurement wait, within bounded memory. What cannot be kept is not
 * dropped: `onFailure` is told, once, so that the run ends truthfully. */
export class RunPublisher {
  readonly #bus: MessageBus
  readonly #onFailure: (reason: string) => void
  readonly #capacity: number
  readonly #pending = new Set<Promise<void>>()
  #bytes = 0
  #failure: string | null = null

  constructor(bus: MessageBus, onFailure: (reason: string) => void, capacity = CAPACITY_BYTES) {
    this.#bus = bus
    this.#onFailure = onFailure
    this.#capacity = capacity
  }

  /** Why samples could not be handed on; null while all is well. */
  get failure(): string | null {
    return this.#failure
  }

  /** Something small that says how the run stands. Always sent. */
  publish(topic: string, payload: unknown, { retain }: { readonly retain: boolean }): void {
    this.#send(topic, JSON.stringify(payload), retain)
  }

  /** Samples, retained. Refused once anything failed: the rows of a run have no holes. @returns whether they were taken. */
  publishSamples(topic: string, payload: unknown): boolean {
    if (this.#failure !== null) return false
    const text = JSON.stringify(payload)
    if (this.#bytes + text.length > this.#capacity) {
      this.#fail(`the broker takes samples too slowly; ${this.#bytes} bytes are waiting`)
      return false
    }
    this.#send(topic, text, true)
    return true
  }

  /** Resolves when everything published so far is on disk, or has failed. */
  async drained(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  #send(topic: string, text: string, retain: boolean): void {
    this.#bytes += text.length
    const sent = this.#bus
      .publish(topic, text, { retain })
      .catch((error: unknown) => {
        this.#fail(`the broker refused an event: ${error instanceof Error ? error.message : String(error)}`)
      })
      .finally(() => {
        this.#bytes -= text.length
        this.#pending.delete(sent)
      })
    this.#pending.add(sent)
  }

  #fail(reason: string): void {
    if (this.#failure !== null) return
    this.#failure = reason
    this.#onFailure(reason)
  }
}

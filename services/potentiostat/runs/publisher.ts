import type { EventDefinition, Levels, PayloadOf } from '../../../events/core/define-event.js'
import type { MessageBus } from '../../../events/ports.js'
import { type SampleBlock, samplesEvent } from '../../../events/potentiostat/samples.js'

/** Bytes that may wait for the broker. */
const CAPACITY_BYTES = 8 * 1024 * 1024

/** Publishes the events of one run in order without making the measurement wait, within bounded memory. What cannot be kept is not
 * dropped: `onFailure` is called, once, so that the run ends with its true state. */
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
  publish<E extends EventDefinition>(event: E, levels: Levels<E['pattern']>, payload: PayloadOf<E>): void {
    const text = this.#encode(event, payload)
    if (text !== null) this.#send(event.topic(levels), text, event.retained)
  }

  /** Samples, retained. Refused once anything failed: the rows of a run have no holes. @returns whether they were taken. */
  publishSamples(levels: Levels<(typeof samplesEvent)['pattern']>, block: SampleBlock): boolean {
    if (this.#failure !== null) return false
    const text = this.#encode(samplesEvent, block)
    if (text === null) return false
    if (this.#bytes + text.length > this.#capacity) {
      this.#fail(`the broker takes samples too slowly; ${this.#bytes} bytes are waiting`)
      return false
    }
    this.#send(samplesEvent.topic(levels), text, samplesEvent.retained)
    return true
  }

  /** Null when it is not as declared: what readers of the log would not take is not recorded. */
  #encode<E extends EventDefinition>(event: E, payload: PayloadOf<E>): string | null {
    try {
      return event.encode(payload)
    } catch (error) {
      this.#fail(`an event is not as declared: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
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

import { payloadText, type TextEvent } from '../events/event.js'

/** Longer payloads spill from SQLite's page into a chain of others; they are read only when somebody looks at them. */
export const LONG_TEXT_BYTES = 2048

/** Position, time recorded, topic, text unless it is long, retain flag. */
export type TextRow = readonly [number, number, string, string | null, 0 | 1]

/** Marks what SQLite's text and `payloadText` do not agree on: bytes that are not UTF-8, and a byte order mark. */
const DOUBTFUL = /[\ufffd\ufeff]/

/** An event of the log whose text was read with its row, or is read when first asked for. */
export class StoredText implements TextEvent {
  readonly position: number
  readonly recordedAt: number
  readonly topic: string
  readonly retain: boolean
  readonly #stored: string | null
  readonly #payloadAt: (position: number) => Uint8Array

  constructor([position, recordedAt, topic, stored, retain]: TextRow, payloadAt: (position: number) => Uint8Array) {
    this.position = position
    this.recordedAt = recordedAt
    this.topic = topic
    this.retain = retain === 1
    this.#stored = stored
    this.#payloadAt = payloadAt
  }

  get text(): string | null {
    const stored = this.#stored
    if (stored !== null && !DOUBTFUL.test(stored)) return stored
    return payloadText({ payload: this.#payloadAt(this.position) })
  }
}

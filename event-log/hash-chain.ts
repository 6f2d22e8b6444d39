import { createHash, type Hash } from 'node:crypto'

/** Bytes per event in the first of the three parts. */
const NUMBERS_BYTES = 24
/** What the first link stands on. */
const GENESIS = Buffer.alloc(32)

/** Stretches of events, in order of position: one, or a whole batch. */
export interface Stretch {
  /** From `packNumbers`, one after the other. */
  readonly numbers: Uint8Array
  /** Topic and client of each event, one after the other. */
  readonly text: string
  /** The payloads, one after the other. */
  readonly payloads: Uint8Array
}

export interface EventNumbers {
  readonly recordedAt: number
  readonly messageId: number
  readonly qos: number
  readonly retain: boolean
  readonly topic: string
  readonly client: string
  readonly payloadBytes: number
}

/** The numbers of an event into the 24 bytes of its index, big-endian: `recorded_at` (8), `message_id` or 0 (2), `qos` (1), `retain` (1), and
 * the lengths in bytes of topic, client and payload (4 each). */
export function packNumbers(
  target: Buffer,
  index: number,
  { recordedAt, messageId, qos, retain, topic, client, payloadBytes }: EventNumbers,
): void {
  const offset = index * NUMBERS_BYTES
  // Milliseconds fill 6 bytes until the year 10889.
  target.writeUIntBE(recordedAt, offset + 2, 6)
  target.writeUInt16BE(messageId, offset + 8)
  target.writeUInt8(qos, offset + 10)
  target.writeUInt8(retain ? 1 : 0, offset + 11)
  target.writeUInt32BE(Buffer.byteLength(topic), offset + 12)
  target.writeUInt32BE(Buffer.byteLength(client), offset + 16)
  target.writeUInt32BE(payloadBytes, offset + 20)
}

export const numbersFor = (events: number): Buffer => Buffer.alloc(events * NUMBERS_BYTES)

/** The chain of links over all events: a link is SHA-256 of the link before, the last position as 8 bytes, and SHA-256 of each of
 * numbers, texts and payloads of the events since that link. Whoever changes an event must change every link after it. */
export class HashChain {
  #previous: Uint8Array
  #numbers: Hash = createHash('sha256')
  #text: Hash = createHash('sha256')
  #payloads: Hash = createHash('sha256')

  /** @param previous the last link; none in a log without one */
  constructor(previous: Uint8Array = GENESIS) {
    this.#previous = previous
  }

  add({ numbers, text, payloads }: Stretch): void {
    this.#numbers.update(numbers)
    this.#text.update(text, 'utf8')
    this.#payloads.update(payloads)
  }

  /** Takes this for the last link: what follows is judged on its own. */
  goOnFrom(link: Uint8Array): void {
    this.#previous = link
  }

  /** The link over what was added since the last one, up to this position. */
  link(position: number): Uint8Array {
    const last = Buffer.alloc(8)
    last.writeUIntBE(position, 2, 6)
    const link = createHash('sha256').update(this.#previous).update(last)
    for (const part of [this.#numbers, this.#text, this.#payloads]) link.update(part.digest())
    this.#previous = link.digest()
    this.#numbers = createHash('sha256')
    this.#text = createHash('sha256')
    this.#payloads = createHash('sha256')
    return this.#previous
  }
}

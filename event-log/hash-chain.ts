import { createHash, type Hash } from 'node:crypto'

/** Bytes per event in the first of the three parts. */
const NUMBERS_BYTES = 24
const TWO_TO_32 = 2 ** 32
/** What the first link stands on. */
const GENESIS = Buffer.alloc(32)

/** Stretches of events, in order of position: one, or a whole batch. */
export interface Stretch {
  /** `PackedNumbers`. */
  readonly numbers: Uint8Array
  /** Topic and client of each event, one after the other. */
  readonly text: string
  /** The payloads, one after the other. */
  readonly payloads: Uint8Array
}

/** The numbers of events, 24 bytes each, big-endian: `recorded_at` (8), `message_id` or 0 (2), `qos` (1), `retain` (1), and the lengths in
 * bytes of topic, client and payload (4 each). It is filled for every event that is recorded, so it takes no objects. */
export class PackedNumbers {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(events: number) {
    this.bytes = new Uint8Array(events * NUMBERS_BYTES)
    this.#view = new DataView(this.bytes.buffer)
  }

  add(recordedAt: number, messageId: number, qos: number, retain: boolean): void {
    const view = this.#view
    const at = this.#at
    view.setUint32(at, Math.floor(recordedAt / TWO_TO_32))
    view.setUint32(at + 4, recordedAt % TWO_TO_32)
    view.setUint16(at + 8, messageId)
    view.setUint8(at + 10, qos)
    view.setUint8(at + 11, retain ? 1 : 0)
  }

  /** Lengths of the event that was added last, in bytes. */
  addLengths(topic: number, client: number, payload: number): void {
    const view = this.#view
    const at = this.#at
    view.setUint32(at + 12, topic)
    view.setUint32(at + 16, client)
    view.setUint32(at + 20, payload)
    this.#at = at + NUMBERS_BYTES
  }
}

/** Hashing single events one by one costs several times what hashing them together does. */
const TOGETHER_BYTES = 16 * 1024

/** The chain of links over all events: a link is SHA-256 of the link before, the last position as 8 bytes, and SHA-256 of each of
 * numbers, texts and payloads of the events since that link. To change an event one would have to change every link after it. */
export class HashChain {
  #previous: Uint8Array
  #numbers: Hash = createHash('sha256')
  #text: Hash = createHash('sha256')
  #payloads: Hash = createHash('sha256')
  /** Not hashed yet. */
  #waiting: Stretch[] = []
  #waitingBytes = 0

  /** @param previous the last link; none in a log without one */
  constructor(previous: Uint8Array = GENESIS) {
    this.#previous = previous
  }

  /** Its bytes must not change any more. */
  add(stretch: Stretch): void {
    this.#waiting.push(stretch)
    this.#waitingBytes += stretch.numbers.length + stretch.text.length + stretch.payloads.length
    if (this.#waitingBytes >= TOGETHER_BYTES) this.#update()
  }

  /** Takes this for the last link: what follows is judged on its own. */
  goOnFrom(link: Uint8Array): void {
    this.#previous = link
  }

  #update(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    this.#numbers.update(joined(waiting.map(({ numbers }) => numbers)))
    this.#text.update(waiting.map(({ text }) => text).join(''), 'utf8')
    this.#payloads.update(joined(waiting.map(({ payloads }) => payloads)))
  }

  /** The link over what was added since the last one, up to this position. */
  link(position: number): Uint8Array {
    this.#update()
    const last = Buffer.alloc(8)
    last.writeBigInt64BE(BigInt(position))
    const link = createHash('sha256').update(this.#previous).update(last)
    for (const part of [this.#numbers, this.#text, this.#payloads]) link.update(part.digest())
    this.#previous = link.digest()
    this.#numbers = createHash('sha256')
    this.#text = createHash('sha256')
    this.#payloads = createHash('sha256')
    return this.#previous
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
}

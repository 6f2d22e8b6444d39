import { ProtocolViolation } from './protocol-violation.js'

/** Fixed header: a byte of type and flags, then a length of at most four bytes. */
const MOST_HEADER_BYTES = 5

/** That are kept apart. */
const MOST_CHUNKS = 512

const NOTHING: Buffer = Buffer.alloc(0)

/** Where a whole packet is: `bytes[from, to)`. */
export interface PacketRange {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

/** Cuts the bytes of a connection into MQTT packets, fixed header included (MQTT 3.1.1 §2.2). */
export class PacketStream {
  readonly #limitOf: (first: number) => number
  #bytes = NOTHING
  #at = 0
  /** Chunks that are not yet joined with `bytes`: a long packet is put together once. */
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** Bytes without which there is no next packet. */
  #needed = 2
  /** One for all packets: an object for each would cost a tenth of decoding it. */
  readonly #packet = { bytes: NOTHING, from: 0, to: 0 }

  /** @param limitOf longest remaining length of a packet with this first byte */
  constructor(limitOf: (first: number) => number) {
    this.#limitOf = limitOf
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#chunkBytes += chunk.length
    // A packet that comes byte by byte would take a hundred times its length.
    if (this.#chunks.length >= MOST_CHUNKS) this.#join()
  }

  /** The next packet that has come completely. What is returned is true until the next call.
   * @throws Error when it is longer than the limit, before its body came, or its length is malformed. */
  next(): PacketRange | undefined {
    if (this.#bytes.length - this.#at + this.#chunkBytes < this.#needed) return undefined
    if (this.#chunks.length > 0) this.#join()
    const length = this.#packetLength()
    if (length === undefined || this.#at + length > this.#bytes.length) {
      this.#needed = length ?? this.#bytes.length - this.#at + 1
      return undefined
    }
    const packet = this.#packet
    packet.bytes = this.#bytes
    packet.from = this.#at
    packet.to = this.#at += length
    this.#needed = 2
    return packet
  }

  #join(): void {
    const [first = NOTHING] = this.#chunks
    const isAlone = this.#at === this.#bytes.length && this.#chunks.length === 1
    this.#bytes = isAlone ? first : Buffer.concat([this.#bytes.subarray(this.#at), ...this.#chunks])
    this.#at = 0
    this.#chunks = []
    this.#chunkBytes = 0
  }

  /** Bytes of the packet that begins here; undefined when its header has not come completely. */
  #packetLength(): number | undefined {
    let remaining = 0
    for (let header = 1; header < MOST_HEADER_BYTES; header++) {
      const byte = this.#bytes[this.#at + header]
      if (byte === undefined) return undefined
      remaining |= (byte & 127) << (7 * (header - 1))
      if (byte < 128) {
        const limit = this.#limitOf(this.#bytes[this.#at] ?? 0)
        if (remaining > limit)
          throw new ProtocolViolation(`a packet of ${remaining} bytes; the limit is ${limit} bytes`)
        return 1 + header + remaining
      }
    }
    throw new ProtocolViolation('a packet whose length takes more than four bytes')
  }
}

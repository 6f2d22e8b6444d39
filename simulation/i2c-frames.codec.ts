/** I2C transactions as a stream of bytes. Requests are answered in order.
 * Request: address, length to read, length written, bytes. Answer: 1 when acknowledged, length, bytes. */

export interface I2cRequest {
  readonly address: number
  readonly readLength: number
  readonly bytes: Uint8Array
}

const REQUEST_HEADER = 3
const ANSWER_HEADER = 2

export const encodeRequest = ({ address, readLength, bytes }: I2cRequest): Uint8Array =>
  Uint8Array.of(address, readLength, bytes.length, ...bytes)

/** @param data What was read; null when nothing acknowledged. */
export const encodeAnswer = (data: Uint8Array | null): Uint8Array =>
  Uint8Array.of(data === null ? 0 : 1, data?.length ?? 0, ...(data ?? []))

/** Collects a stream's chunks and hands out whole frames. */
class Frames<T> {
  #pending: Uint8Array = new Uint8Array()
  readonly #header: number
  readonly #decode: (frame: Uint8Array) => T

  /** The last byte of the header counts the bytes behind it. */
  constructor(header: number, decode: (frame: Uint8Array) => T) {
    this.#header = header
    this.#decode = decode
  }

  push(chunk: Uint8Array): readonly T[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const frames: T[] = []
    for (;;) {
      const payload = this.#pending[this.#header - 1]
      if (payload === undefined || this.#pending.length < this.#header + payload) return frames
      frames.push(this.#decode(this.#pending.subarray(0, this.#header + payload)))
      this.#pending = this.#pending.subarray(this.#header + payload)
    }
  }
}

export const createRequestFrames = (): Frames<I2cRequest> =>
  new Frames(REQUEST_HEADER, (frame) => ({
    address: frame[0] ?? 0,
    readLength: frame[1] ?? 0,
    bytes: frame.subarray(REQUEST_HEADER),
  }))

/** Frames of answers; null when nothing acknowledged. */
export const createAnswerFrames = (): Frames<Uint8Array | null> =>
  new Frames(ANSWER_HEADER, (frame) => (frame[0] === 1 ? Uint8Array.from(frame.subarray(ANSWER_HEADER)) : null))

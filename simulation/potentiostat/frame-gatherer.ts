import type { Clock } from '../../events/ports.js'
import { requestLength } from '../../services/transport/modbus-rtu.codec.js'

/** Silence that ends a frame whose length its bytes do not tell, ms. The device takes 0.2 ms; a busy machine needs more. */
const SILENCE_MS = 2

/** Cuts what arrives into frames: by the length a request announces, else by silence. */
export class FrameGatherer {
  readonly #clock: Clock
  readonly #onFrame: (frame: Uint8Array) => void
  #bytes = new Uint8Array(0)
  #arrivals = 0

  constructor(clock: Clock, onFrame: (frame: Uint8Array) => void) {
    this.#clock = clock
    this.#onFrame = onFrame
  }

  push(chunk: Uint8Array): void {
    this.#arrivals++
    this.#bytes = Uint8Array.of(...this.#bytes, ...chunk)
    for (;;) {
      const length = requestLength(this.#bytes)
      if (length === null || length > this.#bytes.length) break
      const frame = this.#bytes.slice(0, length)
      this.#bytes = this.#bytes.slice(length)
      this.#onFrame(frame)
    }
    if (this.#bytes.length > 0) void this.#endBySilence(this.#arrivals)
  }

  async #endBySilence(arrivals: number): Promise<void> {
    await this.#clock.sleepUntil(this.#clock.monotonicMs() + SILENCE_MS)
    // Bytes that wait in the kernel while the timer fires were not silence.
    await new Promise(setImmediate)
    if (this.#arrivals !== arrivals || this.#bytes.length === 0) return
    const frame = this.#bytes
    this.#bytes = new Uint8Array(0)
    this.#onFrame(frame)
  }
}

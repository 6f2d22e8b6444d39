import type { Clock } from '../../../events/ports.js'
import type { GpioOutput } from '../../transport/hardware.js'

/** What the LED of the unit shows, one state after the other: on or off, and for how long, in s. */
type Pattern = readonly (readonly [on: boolean, seconds: number])[]

const repeated = (times: number, pattern: Pattern): Pattern => Array.from({ length: times }, () => pattern).flat()

/** The answer to "which unit is this?". Source of the times: Pioreactor 26.7 `monitor`. */
export const identify: Pattern = repeated(4, [
  [true, 0.14],
  [false, 0.14],
  [true, 0.14],
  [false, 0.45],
])

/** A long light, as many short ones as the code says, and a pause that keeps two codes apart. */
export const errorCode = (code: number): Pattern => [
  [true, 2],
  [false, 0.25],
  ...repeated(code, [
    [true, 0.25],
    [false, 0.25],
  ]),
  [false, 5],
]

/** The LED of the unit: steady, or blinking one pattern at a time. */
export class StatusLed {
  readonly #output: GpioOutput
  readonly #clock: Clock
  readonly #closing = new AbortController()
  #steady = false
  #blinking: Promise<void> | null = null

  constructor(output: GpioOutput, clock: Clock) {
    this.#output = output
    this.#clock = clock
  }

  /** On or off; while a pattern blinks, once it has ended. @throws LabError when the line does not follow. */
  async set(on: boolean): Promise<void> {
    this.#steady = on
    if (this.#blinking === null) await this.#output.set(on)
  }

  /** Blinks; resolves when the pattern has ended, with false at once when another one is going on.
   * @throws LabError when the line does not follow. */
  async blink(pattern: Pattern): Promise<boolean> {
    if (this.#blinking !== null || this.#closing.signal.aborted) return false
    this.#blinking = this.#show(pattern)
    try {
      await this.#blinking
    } finally {
      this.#blinking = null
      // Also after a pattern that broke off while the LED was on.
      await this.#output.set(this.#steady && !this.#closing.signal.aborted)
    }
    return true
  }

  /** Off, and the line is free. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#blinking?.catch(() => undefined)
    await this.#output.close()
  }

  async #show(pattern: Pattern): Promise<void> {
    let due = this.#clock.monotonicMs()
    for (const [on, seconds] of pattern) {
      if (this.#closing.signal.aborted) return
      await this.#output.set(on)
      due += seconds * 1000
      await this.#clock.sleepUntil(due, this.#closing.signal)
    }
  }
}

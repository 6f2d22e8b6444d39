import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import { clamp, roundHalfEven } from '../../../primitives/round.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import { Alarm } from '../../runtime/alarm.js'
import type { PwmOutput } from '../../transport/hardware.js'

const OutputCutOff = defineError(
  'pwm.cut_off',
  'hardware',
  'An output was switched off because a limit was passed; it must be claimed anew.',
)

/** When an output goes off whatever its user does, ms of the clock. */
export interface OutputLimits {
  /** How long it may be on in sum, from its claim on. */
  readonly maxOnMs?: number
  /** How long it may stay on without being set again. */
  readonly maxSilenceMs?: number
}

/** What the owner of a line is told. */
interface PwmLineListeners {
  /** %, once the hardware has followed. */
  changed(duty: number): void
  cutOff(reason: string): void
}

/** A claimed output. Writes reach the hardware in the order they were asked for; after `close` and after a cut-off only 0 is possible. */
export class PwmLine {
  readonly #output: PwmOutput
  readonly #clock: Clock
  readonly #limits: OutputLimits
  readonly #listeners: PwmLineListeners
  readonly #onTooLong: Alarm
  readonly #silentTooLong: Alarm
  readonly #serially = createSerialQueue()
  #duty = 0
  #closed = false
  #cutOffBy: string | null = null
  #onSinceMs: number | null = null
  #spentMs = 0
  #drivenSinceMs: number | null = null
  #drivenMs = 0

  constructor(output: PwmOutput, clock: Clock, limits: OutputLimits, listeners: PwmLineListeners) {
    this.#output = output
    this.#clock = clock
    this.#limits = limits
    this.#listeners = listeners
    this.#onTooLong = new Alarm(clock)
    this.#silentTooLong = new Alarm(clock)
  }

  /** Duty cycle last written, %. */
  get duty(): number {
    return this.#duty
  }

  /** How long the hardware has driven it in sum, from the write that switched it on to the one that switched it off, whoever asked for it, ms. */
  get drivenMs(): number {
    return this.#drivenMs + (this.#drivenSinceMs === null ? 0 : this.#clock.monotonicMs() - this.#drivenSinceMs)
  }

  /** Whether a limit has switched it off, so that it must be claimed anew. */
  get isCutOff(): boolean {
    return this.#cutOffBy !== null
  }

  /** It may stay as it is: the time without being set begins anew. */
  keep(): void {
    if (this.#duty > 0 && !this.#closed && this.#cutOffBy === null) this.#watch()
  }

  /** @param percent limited to 0–100, rounded to 5 decimals. @param stillWanted asked right before the hardware is touched.
   * @throws OutputCutOff for more than 0 % after a limit was passed. */
  set(percent: number, stillWanted: () => boolean = () => true): Promise<void> {
    const duty = clamp(0, roundHalfEven(percent, 5), 100)
    return this.#serially(async () => {
      if (duty > 0 && (this.#closed || !stillWanted())) return
      if (duty > 0 && this.#cutOffBy !== null) {
        throw new OutputCutOff(`Pin ${this.#output.pin} was switched off: ${this.#cutOffBy}.`)
      }
      // Before the hardware is touched: whatever becomes of the write, the output does not stay on.
      if (duty > 0) this.#watch()
      await this.#output.setDutyCycle(duty)
      if (duty === 0) this.#rest()
      else this.#drivenSinceMs ??= this.#clock.monotonicMs()
      this.#duty = duty
      this.#listeners.changed(duty)
    })
  }

  /** Off, and off it stays. @param reason a clause @throws LabError when the hardware does not follow. */
  async cutOff(reason: string): Promise<void> {
    const isFirst = this.#cutOffBy === null
    this.#cutOffBy ??= reason
    if (isFirst) this.#listeners.cutOff(reason)
    await this.#serially(async () => {
      if (!this.#closed) await this.#output.setDutyCycle(0)
      this.#wentOff()
    })
  }

  /** Cuts the output off when it is not driven as it was set. @param driven % @returns what was wrong, null when nothing was. */
  verify(driven: () => Promise<number>, tolerance: number): Promise<string | null> {
    return this.#serially(async () => {
      const found = await driven()
      const wanted = this.#duty
      if (this.#closed || Math.abs(found - wanted) <= tolerance) return null
      const reason = `it was driven at ${found} % where ${wanted} % were wanted`
      if (this.#cutOffBy === null) this.#listeners.cutOff(reason)
      this.#cutOffBy ??= reason
      await this.#output.setDutyCycle(0)
      this.#wentOff()
      return reason
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#serially(() => this.#output.close())
    this.#wentOff()
  }

  #wentOff(): void {
    this.#rest()
    if (this.#duty === 0) return
    this.#duty = 0
    this.#listeners.changed(0)
  }

  #watch(): void {
    const { maxOnMs, maxSilenceMs } = this.#limits
    const now = this.#clock.monotonicMs()
    this.#onSinceMs ??= now
    if (maxOnMs !== undefined) {
      const left = maxOnMs - this.#spentMs
      this.#onTooLong.set(this.#onSinceMs + left, () => this.#trip(`it was on for ${maxOnMs / 1000} s in sum`))
    }
    if (maxSilenceMs !== undefined) {
      this.#silentTooLong.set(now + maxSilenceMs, () => this.#trip(`nobody set it for ${maxSilenceMs / 1000} s`))
    }
  }

  #rest(): void {
    if (this.#onSinceMs !== null) this.#spentMs += this.#clock.monotonicMs() - this.#onSinceMs
    this.#onSinceMs = null
    this.#drivenMs = this.drivenMs
    this.#drivenSinceMs = null
    this.#onTooLong.cancel()
    this.#silentTooLong.cancel()
  }

  /** What the hardware does not follow is found by the watchdog, again and again. */
  #trip(reason: string): void {
    this.cutOff(reason).catch(() => undefined)
  }
}

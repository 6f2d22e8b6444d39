import type { Clock } from '../../../events/ports.js'
import { clamp } from '../../../primitives/round.js'
import { sleepS } from '../../runtime/repeat.js'
import type { PwmLine } from '../board/pwm-line.js'
import { PID_AT_REST, type PidGains, type PidTerms, pidStep } from '../control/pid.js'

/** How far one control step may move the duty cycle, %. */
const MAX_STEP = 7.5
/** A stalled bar is never left with more than this, %. */
const MAX_AFTER_KICK = 60

/** Duty cycle in % that a calibration gives for a speed; null without calibration. */
export type DutyLookup = (rpm: number) => number | null

/** Next estimate when the target changes: nine tenths of the way to the calibrated duty, and a little more.
 * Source: Pioreactor 26.7 `Stirrer.initialize_rpm_to_dc_lookup`. */
export const nextDuty = (estimate: number, calibrated: number | null): number =>
  calibrated === null ? estimate : 1.05 * (estimate - 0.9 * (estimate - calibrated))

export interface StirBarOptions {
  readonly clock: Clock
  readonly line: PwmLine
  readonly lookup: DutyLookup
  readonly gains: PidGains
  /** Duty cycle to begin with, %; also where an uncalibrated bar starts again after a target of 0. */
  readonly initialDuty: number
  /** Null when only the duty cycle is fixed. */
  readonly targetRpm: number | null
  /** Called with every duty cycle that was realised. */
  readonly onDuty: (duty: number) => void
}

/** The motor with its speed control. The estimate is what the control wants; the realised duty cycle is what the motor got. */
export class StirBar {
  readonly #options: StirBarOptions
  #estimate: number
  #target: number | null
  #pid = PID_AT_REST
  #awake = true
  #motion = new AbortController()

  constructor(options: StirBarOptions) {
    this.#options = options
    this.#target = options.targetRpm
    const calibrated = options.targetRpm === null ? null : options.lookup(options.targetRpm)
    this.#estimate = options.targetRpm === 0 ? 0 : nextDuty(calibrated ?? options.initialDuty, calibrated)
  }

  get targetRpm(): number | null {
    return this.#target
  }

  get estimate(): number {
    return this.#estimate
  }

  get isAwake(): boolean {
    return this.#awake
  }

  /** The motor may turn again after a halt. */
  wake(): void {
    this.#awake = true
  }

  /** Overcomes static friction, then turns at the estimate. */
  async startMotion(): Promise<void> {
    await this.#sequence(this.#estimate > 0 ? [{ duty: 100, seconds: 0.5 }] : [], () => this.#estimate)
  }

  /** Off at once, whatever was under way, until woken. */
  async halt(): Promise<void> {
    this.#awake = false
    this.#motion.abort()
    await this.#options.line.set(0)
    this.#options.onDuty(0)
  }

  async setTarget(rpm: number): Promise<void> {
    this.#target = rpm
    const { lookup, initialDuty, line } = this.#options
    const calibrated = lookup(rpm)
    const from = calibrated === null && this.#estimate <= 0 ? initialDuty : this.#estimate
    this.#estimate = rpm === 0 ? 0 : nextDuty(from, calibrated)
    if (!this.#awake) return
    const still = line.duty === 0 && this.#estimate > 0
    await this.#sequence(still ? [{ duty: 100, seconds: 0.35 }] : [], () => this.#estimate)
  }

  /** Sets the output only; the next control step overwrites it. */
  async setDuty(duty: number): Promise<void> {
    await this.#sequence([], () => duty)
  }

  /** One control step. @returns the terms, or null when there is nothing to control. */
  async follow(measuredRpm: number): Promise<PidTerms | null> {
    if (this.#target === null || this.#target === 0 || !this.#awake) return null
    const limits = { setpoint: this.#target, low: -MAX_STEP, high: MAX_STEP }
    const { state, terms } = pidStep({ ...this.#options.gains, ...limits }, this.#pid, measuredRpm)
    this.#pid = state
    this.#estimate += terms.output
    await this.#sequence([], () => this.#estimate)
    return terms
  }

  /** Shakes a stalled bar loose. */
  async kick(): Promise<void> {
    const steps = [
      { duty: 0, seconds: 0.75 },
      { duty: 100, seconds: 0.75 },
    ]
    await this.#sequence(steps, () => Math.min(1.01 * this.#estimate, MAX_AFTER_KICK))
  }

  /** The newest sequence wins; an interrupted one drives nothing any more. */
  async #sequence(
    steps: readonly { readonly duty: number; readonly seconds: number }[],
    last: () => number,
  ): Promise<void> {
    this.#motion.abort()
    const motion = new AbortController()
    this.#motion = motion
    for (const { duty, seconds } of steps) {
      await this.#realise(duty, motion.signal)
      await sleepS(this.#options.clock, seconds, motion.signal)
      if (motion.signal.aborted) return
    }
    await this.#realise(last(), motion.signal)
  }

  async #realise(duty: number, motion: AbortSignal): Promise<void> {
    const { line, onDuty } = this.#options
    await line.set(clamp(0, duty, 100), () => this.#awake && !motion.aborted)
    if (!motion.aborted) onDuty(line.duty)
  }
}

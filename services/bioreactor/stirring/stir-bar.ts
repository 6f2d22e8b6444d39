import type { Clock } from '../../../events/ports.js'
import { retry } from '../../../primitives/retry.js'
import { clamp } from '../../../primitives/round.js'
import { sleepS } from '../../runtime/repeat.js'
import type { PwmLine } from '../board/pwm-line.js'
import { type PidGains, type PidSettings, type PidTerms, TIMED_PID_AT_REST, timedPidStep } from '../control/pid.js'
import { learntDuty, motorGain } from '../control/stirring/motor-gain.js'
import { isStanding } from '../control/stirring/stall-watch.js'

/** How far one control step may move the duty cycle, %. */
const MAX_STEP = 7.5
/** A stalled bar is never left with more than this, %, neither by a kick nor by the control. */
const MAX_STALLED = 60
/** How often an output that did not follow is tried to be switched off. */
const OFF = { attempts: 3 }
/** After a change of the duty cycle the motor takes less than this to its new speed, ms: its time constant is under half a second. */
const SETTLING_MS = 1000

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
  /** From one control step to the next, as the gains are meant, s. */
  readonly periodS: number
  /** Duty cycle to begin with, %; also where an uncalibrated bar starts again after a target of 0. */
  readonly initialDuty: number
  /** Null when only the duty cycle is fixed. */
  readonly targetRpm: number | null
  /** Called with every duty cycle that was realised. */
  readonly onDuty: (duty: number) => void
}

/** One step of the slow control. */
export interface ControlStep {
  readonly settings: PidSettings
  readonly terms: PidTerms
}

/** The motor with its speed control. The estimate is what the control wants; the realised duty cycle is what the motor got. */
export class StirBar {
  readonly #options: StirBarOptions
  #estimate: number
  #target: number | null
  #pid = TIMED_PID_AT_REST
  /** RPM per %, of a motor without calibration; null before the first measurement. */
  #gain: number | null = null
  #isCalibrated: boolean
  #changedMs: number
  /** Whether the line may carry what is only to get the motor going. */
  #isForced = false
  /** Whether somebody has set the output past the control. */
  #isManual = false
  #kickedMs = Number.NEGATIVE_INFINITY
  #awake = true
  #motion = new AbortController()

  constructor(options: StirBarOptions) {
    this.#options = options
    this.#target = options.targetRpm
    const calibrated = options.targetRpm === null ? null : options.lookup(options.targetRpm)
    this.#estimate = options.targetRpm === 0 ? 0 : nextDuty(calibrated ?? options.initialDuty, calibrated)
    this.#isCalibrated = calibrated !== null
    this.#changedMs = options.clock.monotonicMs()
  }

  get targetRpm(): number | null {
    return this.#target
  }

  get isAwake(): boolean {
    return this.#awake
  }

  /** Since when the control has had the motor turn with one duty cycle, monotonic ms; null when the bar is not to turn, or somebody else drives it. */
  get steadySinceMs(): number | null {
    const isToTurn = this.#awake && !this.#isManual && (this.#target ?? 0) > 0 && this.#options.line.duty > 0
    return isToTurn ? this.#changedMs : null
  }

  /** Until when it was kicked last, monotonic ms. */
  get kickedMs(): number {
    return this.#kickedMs
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
    await retry(OFF, () => this.#options.line.set(0))
    this.#options.onDuty(0)
  }

  async setTarget(rpm: number): Promise<void> {
    this.#target = rpm
    const { lookup, line } = this.#options
    const calibrated = lookup(rpm)
    this.#isCalibrated = calibrated !== null
    this.#estimate =
      rpm === 0 ? 0 : calibrated === null ? this.#uncalibratedDuty(rpm) : nextDuty(this.#estimate, calibrated)
    if (!this.#awake) return
    const still = line.duty === 0 && this.#estimate > 0
    await this.#sequence(still ? [{ duty: 100, seconds: 0.35 }] : [], () => this.#estimate)
  }

  /** Sets the output only; the next control step overwrites it. */
  async setDuty(duty: number): Promise<void> {
    const ended = this.#sequence([], () => duty)
    this.#isManual = true
    await ended
  }

  /** What a motor of the gain learnt so far needs; before the first measurement, what it has, or had at its start. */
  #uncalibratedDuty(rpm: number): number {
    if (this.#gain !== null) return Math.min(rpm / this.#gain, 100)
    return this.#estimate > 0 ? this.#estimate : this.#options.initialDuty
  }

  /** One control step. A motor without calibration whose speed is far off gets at once what its own gain asks for.
   * @param sinceMs when the measurement began, monotonic
   * @returns the step, or null when there was nothing to control or the gain has done it. */
  async follow(measuredRpm: number, sinceMs: number): Promise<ControlStep | null> {
    const targetRpm = this.#target
    if (targetRpm === null || targetRpm === 0 || !this.#awake) return null
    const isStalled = isStanding(measuredRpm, targetRpm)
    if (!this.#isCalibrated && !isStalled) {
      // The speed of a motor that was still changing belongs to no duty cycle.
      if (sinceMs - this.#changedMs < SETTLING_MS) return null
      const dutyPercent = this.#options.line.duty
      this.#gain = motorGain({ measuredRpm, dutyPercent }) ?? this.#gain
      const learnt = learntDuty({ targetRpm, measuredRpm, dutyPercent })
      if (learnt !== null) {
        this.#estimate = learnt
        await this.#sequence([], () => this.#estimate)
        return null
      }
    }
    const { gains, periodS, clock } = this.#options
    const settings = { ...gains, setpoint: targetRpm, low: -MAX_STEP, high: MAX_STEP }
    const time = { target: targetRpm, nowS: clock.monotonicMs() / 1000, periodS }
    const { state, terms } = timedPidStep(settings, this.#pid, measuredRpm, time)
    this.#pid = state
    // What a motor cannot do is not added up: it would take as long to come down again.
    const most = isStalled ? Math.max(this.#estimate, MAX_STALLED) : 100
    this.#estimate = clamp(0, this.#estimate + terms.output, most)
    await this.#sequence([], () => (isStalled ? Math.min(this.#estimate, MAX_STALLED) : this.#estimate))
    return { settings, terms }
  }

  /** Shakes a stalled bar loose. */
  async kick(): Promise<void> {
    const steps = [
      { duty: 0, seconds: 0.75 },
      { duty: 100, seconds: 0.75 },
    ]
    await this.#sequence(steps, () => Math.min(1.01 * this.#estimate, MAX_STALLED))
    this.#kickedMs = this.#options.clock.monotonicMs()
  }

  /** The newest sequence wins; an interrupted one drives nothing any more. */
  async #sequence(
    steps: readonly { readonly duty: number; readonly seconds: number }[],
    last: () => number,
  ): Promise<void> {
    this.#motion.abort()
    const motion = new AbortController()
    this.#motion = motion
    this.#isManual = false
    try {
      for (const { duty, seconds } of steps) {
        await this.#realise(duty, motion.signal)
        if (this.#options.line.duty > 0) this.#isForced = true
        await sleepS(this.#options.clock, seconds, motion.signal)
        if (motion.signal.aborted) return
      }
      await this.#realise(last(), motion.signal)
      if (!motion.signal.aborted) this.#isForced = false
    } catch (error) {
      if (!motion.signal.aborted && this.#isForced) await this.#rest(motion.signal)
      throw error
    }
  }

  /** A write has failed: the power that was to get the motor going is not what remains. What does not follow either is told by what failed first. */
  async #rest(motion: AbortSignal): Promise<void> {
    await retry(OFF, () => this.#realise(0, motion)).catch(() => undefined)
  }

  async #realise(duty: number, motion: AbortSignal): Promise<void> {
    const { line, onDuty, clock } = this.#options
    const before = line.duty
    await line.set(clamp(0, duty, 100), () => this.#awake && !motion.aborted)
    if (line.duty !== before) this.#changedMs = clock.monotonicMs()
    if (!motion.aborted) onDuty(line.duty)
  }
}

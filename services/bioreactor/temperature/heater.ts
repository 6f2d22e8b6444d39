import type { Clock } from '../../../events/ports.js'
import { retry } from '../../../primitives/retry.js'
import type { JobContext } from '../../jobs/job.js'
import type { Bioreactor } from '../board/board.js'
import type { PwmBoard } from '../board/pwm-board.js'
import type { PwmLine } from '../board/pwm-line.js'
import { heaterDuty } from '../control/temperature/heater-safety.js'

/** Source: Pioreactor 26.7. */
const HEATER_HZ = 16
/** The heater goes off when it was not kept on for so long: six looks at its probe. */
const MAX_SILENCE_MS = 30_000
const OFF_TRIES = { attempts: 3, pauseMs: 50 }

/** From when it goes off until its board is as warm as the culture to 0.1 °C: four of the slowest time constants between them, 70 s. */
const REST_MS = 300_000
/** Where nobody knows when it was on last. Source: Pioreactor 26.7. */
const UNKNOWN_REST_MS = 10_000

type HeaterUser = Pick<JobContext, 'emit' | 'log' | 'atEnd' | 'experiment'>

/** The heater of a unit. One job has it at a time. */
export class Heater {
  readonly #bioreactor: Pick<Bioreactor, 'board'>
  readonly #pwm: PwmBoard
  readonly #clock: Clock
  #restedMs: number

  constructor(bioreactor: Pick<Bioreactor, 'board'>, pwm: PwmBoard, clock: Clock) {
    this.#bioreactor = bioreactor
    this.#pwm = pwm
    this.#clock = clock
    this.#restedMs = clock.monotonicMs() + UNKNOWN_REST_MS
  }

  /** Whether it was off for long enough that its board is as warm as the culture. */
  get isRested(): boolean {
    return this.#clock.monotonicMs() >= this.#restedMs
  }

  /** Claims it, off, until the job ends. @param onDuty called with the duty cycle in % whenever the hardware has followed.
   * @throws LabError when another job has it */
  async claim(user: HeaterUser, onDuty: (percent: number) => void): Promise<ClaimedHeater> {
    const changed = (percent: number): void => {
      this.#restedMs = percent > 0 ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() + REST_MS
      heater.changed(percent)
      onDuty(percent)
    }
    const { heaterPwmChannel } = this.#bioreactor.board
    const heater = new ClaimedHeater(this.#clock, (atEnd) =>
      this.#pwm.claim(
        heaterPwmChannel,
        HEATER_HZ,
        { emit: user.emit, log: user.log, experiment: user.experiment, atEnd, changed },
        { maxSilenceMs: MAX_SILENCE_MS },
      ),
    )
    user.atEnd(() => heater.close())
    await heater.claimAnew()
    return heater
  }
}

type Release = () => Promise<void> | void

/** The heater in the hands of a job. It goes off by itself unless it is set or kept every few seconds. */
export class ClaimedHeater {
  readonly #clock: Clock
  readonly #open: (atEnd: (release: Release) => void) => Promise<PwmLine>
  #line: PwmLine | null = null
  #release: Release | null = null
  #closed = false
  #onSinceMs: number | null = null
  /** What is off for sure need not be switched off, and told, again. */
  #isSurelyOff = true
  /** How often it was set: what is set while it goes off comes after that. */
  #sets = 0

  constructor(clock: Clock, open: (atEnd: (release: Release) => void) => Promise<PwmLine>) {
    this.#clock = clock
    this.#open = open
  }

  /** Duty cycle in force, %. */
  get duty(): number {
    return this.#line?.duty ?? 0
  }

  /** How long it has been on, s. */
  get heatedS(): number {
    return this.#onSinceMs === null ? 0 : (this.#clock.monotonicMs() - this.#onSinceMs) / 1000
  }

  /** To be told when the hardware has followed. */
  changed(percent: number): void {
    this.#onSinceMs = percent > 0 ? (this.#onSinceMs ?? this.#clock.monotonicMs()) : null
  }

  /** @param percent limited to 0–100, rounded to 0.01. @param stillWanted asked right before the hardware is touched
   * @throws LabError when a limit has switched it off, or the hardware does not follow */
  async set(percent: number, stillWanted: () => boolean): Promise<void> {
    this.#isSurelyOff = false
    this.#sets++
    await this.#line?.set(heaterDuty(percent), stillWanted)
  }

  /** @throws LabError when the hardware does not follow */
  async off(): Promise<void> {
    if (this.#isSurelyOff) return
    const sets = this.#sets
    await retry({ ...OFF_TRIES, timer: this.#clock }, async () => this.#line?.set(0))
    this.#isSurelyOff = this.duty === 0 && sets === this.#sets
  }

  /** It may stay on as it is. */
  keep(): void {
    this.#line?.keep()
  }

  /** After a limit has switched it off it can be used only when it is claimed anew: when there is reason to believe that all is well. */
  async claimAnew(): Promise<void> {
    if (this.#closed || this.#line?.isCutOff === false) return
    await this.#give()
    this.#line = await this.#open((release) => {
      this.#release = release
    })
    if (this.#closed) await this.#give()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#give()
  }

  async #give(): Promise<void> {
    const release = this.#release
    this.#release = null
    await release?.()
  }
}

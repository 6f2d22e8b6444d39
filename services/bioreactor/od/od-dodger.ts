import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { JobContext } from '../../jobs/job.js'
import { type Repeating, repeat, sleepS } from '../../runtime/repeat.js'
import {
  ASSUMED_READING_S,
  canDodge,
  type DodgeDelays,
  firstActionAfterS,
  nextActionAfterS,
  type OdSchedule,
  untilNextReadingS,
  waitBeforeReadingS,
} from '../control/dodge-schedule.js'

/** What a job does differently around optical readings. */
export interface DodgeActions {
  /** From continuous work to working around readings. */
  enter(schedule: OdSchedule): Promise<void>
  leave(): Promise<void>
  beforeReading(): Promise<void>
  afterReading(): Promise<void>
}

/** The readings of `od_reading` while it runs; null before its first reading and when it does not job. */
export function odScheduleOf({ peers }: Pick<JobContext, 'peers'>): OdSchedule | null {
  const od = peers.find('od_reading')
  const intervalS = od?.value('interval')
  const firstObsS = od?.value('first_od_obs_time')
  const measuredS = od?.value('reading_duration')
  const readingS = typeof measuredS === 'number' ? measuredS : ASSUMED_READING_S
  const runs = od !== undefined && ['init', 'ready', 'sleeping'].includes(od.state)
  const isKnown = typeof intervalS === 'number' && typeof firstObsS === 'number'
  return runs && isKnown ? { intervalS, firstObsS, readingS } : null
}

/** So many readings in a row that began before the action after the last one had ended are too many. */
const LATE_READINGS = 3
/** A change of mode that the hardware did not follow is tried again, s. */
const RETRY_S = 5

const samePhase = (a: OdSchedule | null, b: OdSchedule | null): boolean =>
  a?.intervalS === b?.intervalS && a?.firstObsS === b?.firstObsS
const sameSchedule = (a: OdSchedule | null, b: OdSchedule | null): boolean =>
  samePhase(a, b) && a?.readingS === b?.readingS

/** Keeps a job out of the way of optical readings: follows `od_reading`, its interval, its phase and how long a reading lasts, while enabled. */
export class OdDodger {
  readonly #job: JobContext
  readonly #delays: DodgeDelays
  readonly #actions: DodgeActions
  #enabled: boolean
  #asleep = false
  #schedule: OdSchedule | null = null
  /** The interval that leaves no time to act, s: nobody keeps out of the way of its readings. */
  #tooFastS: number | undefined
  /** Whether the last change of mode has failed on its way. */
  #isHalfway = false
  /** Readings in a row that came too early. */
  #late = 0
  #timer: Repeating | null = null
  #interrupt = new AbortController()
  readonly #serially = createSerialQueue()
  #settling: Promise<void> = Promise.resolve()

  constructor(job: JobContext, delays: DodgeDelays, enabled: boolean, actions: DodgeActions) {
    this.#job = job
    this.#delays = delays
    this.#enabled = enabled
    this.#actions = actions
    if (Math.min(delays.preS, delays.postS) < 0.25) {
      job.log('warning', 'pre_delay_duration and post_delay_duration should be at least 0.25 s.')
    }
  }

  /** Begins to follow `od_reading`. */
  start(): void {
    this.#job.atEnd(this.#job.peers.watch('od_reading', () => void this.#settle()))
    this.#job.atEnd(() => this.#endTimer())
    void this.#settle()
  }

  get isDodging(): boolean {
    return this.#schedule !== null
  }

  /** Resolves when the mode is the one asked for. */
  async enable(enabled: boolean): Promise<void> {
    this.#enabled = enabled
    await this.#settle()
  }

  pause(): void {
    this.#asleep = true
    this.#timer?.pause()
    this.#interrupt.abort()
  }

  /** A change of mode that came while asleep happens now. */
  async resume(): Promise<void> {
    this.#asleep = false
    this.#interrupt = new AbortController()
    this.#timer?.resume()
    await this.#settle()
  }

  #settle(): Promise<void> {
    // What is under way may have been decided before the latest change.
    this.#settling = this.#serially(() => this.#change()).catch((error: unknown) => {
      this.#job.logger.error({ err: error }, 'change around readings failed')
      this.#isHalfway = true
      void this.#settleLater()
    })
    return this.#settling
  }

  async #settleLater(): Promise<void> {
    const { clock, ending } = this.#job
    await sleepS(clock, RETRY_S, ending)
    await this.#settle()
  }

  /** The readings to keep out of the way of. */
  #wanted(): OdSchedule | null {
    const schedule = this.#enabled ? odScheduleOf(this.#job) : null
    if (schedule?.intervalS !== this.#tooFastS) this.#tooFastS = undefined
    if (schedule === null || this.#tooFastS !== undefined) return null
    if (canDodge(schedule, this.#delays)) return schedule
    this.#giveUp(schedule)
    return null
  }

  async #change(): Promise<void> {
    if (this.#asleep || this.#job.ending.aborted) return
    const wanted = this.#wanted()
    const wasHalfway = this.#isHalfway
    const before = this.#schedule
    if (sameSchedule(wanted, before) && !wasHalfway) return
    await this.#endTimer()
    this.#schedule = wanted
    this.#late = 0
    if (wanted === null) await this.#actions.leave()
    else if (before === null || wasHalfway) await this.#actions.enter(wanted)
    this.#isHalfway = false
    if (wanted === null) return
    // Readings that only last longer than thought cost nobody a turn.
    const actionAfterS = samePhase(before, wanted) ? nextActionAfterS : firstActionAfterS
    this.#timer = repeat({
      clock: this.#job.clock,
      intervalS: wanted.intervalS,
      runAfterS: actionAfterS(wanted, this.#delays, this.#nowS()),
      immediately: true,
      tick: () => this.#tick(wanted),
      onError: (error) => this.#job.logger.error({ err: error }, 'action around a reading failed'),
    })
  }

  async #tick(schedule: OdSchedule): Promise<void> {
    if (!this.#isActive()) return
    const { clock } = this.#job
    const begun = clock.monotonicMs()
    await this.#actions.afterReading()
    const actionS = (clock.monotonicMs() - begun) / 1000
    const waitS = waitBeforeReadingS(schedule, this.#delays, actionS, this.#nowS())
    this.#late = waitS === null ? this.#late + 1 : 0
    if (this.#late === 1) this.#job.log('warning', 'The action after an optical reading took until the next one.')
    if (this.#late >= LATE_READINGS) {
      this.#giveUp(schedule)
      // Not waited for: it waits for this tick.
      return void this.#settle()
    }
    await sleepS(clock, waitS ?? 0, this.#interrupt.signal)
    if (this.#isActive()) await this.#actions.beforeReading()
  }

  #isActive(): boolean {
    return this.#job.state === 'ready' && this.#enabled && odScheduleOf(this.#job) !== null
  }

  /** As if there were no readings from now on: what must be kept going is worth more than they. */
  #giveUp({ intervalS, readingS }: OdSchedule): void {
    const { preS, postS } = this.#delays
    this.#tooFastS = intervalS
    this.#job.log(
      'error',
      `An OD interval of ${intervalS} s leaves no time to act between readings of ${readingS} s with delays of ${preS} s and ${postS} s; they are not dodged.`,
    )
  }

  async #endTimer(): Promise<void> {
    this.#interrupt.abort()
    const timer = this.#timer
    this.#timer = null
    await timer?.stop()
    this.#interrupt = new AbortController()
  }

  #nowS(): number {
    return this.#job.clock.now().getTime() / 1000
  }
}

/** Time until the next optical reading, s; infinite when none is due. */
export function untilNextOdS(job: Pick<JobContext, 'peers' | 'clock'>): number {
  const schedule = odScheduleOf(job)
  const ready = job.peers.find('od_reading')?.state === 'ready'
  return schedule === null || !ready
    ? Number.POSITIVE_INFINITY
    : untilNextReadingS(schedule, job.clock.now().getTime() / 1000)
}

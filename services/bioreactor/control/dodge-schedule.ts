/** When to act around optical readings that repeat every `intervalS` from `firstObsS` on. Seconds; wall time for instants. */
export interface OdSchedule {
  readonly intervalS: number
  readonly firstObsS: number
  /** How long a reading lasts. */
  readonly readingS: number
}

export interface DodgeDelays {
  readonly preS: number
  readonly postS: number
}

/** What a reading is taken to last before one was measured. Source: Pioreactor 26.7, for all readings. */
export const ASSUMED_READING_S = 1.0

/** From how many readings it is told how long one lasts. */
export const MEASURED_READINGS = 5
const STEP_S = 0.1

/** What a reading is to be taken to last: the longest of the latest ones, in whole steps, so that jitter changes nothing. @param latestS at least one, s */
export const readingDurationS = (latestS: readonly number[]): number =>
  Number((Math.ceil(Math.max(...latestS) / STEP_S - 1e-6) * STEP_S).toFixed(1))

const remainder = (value: number, modulus: number): number => value - Math.floor(value / modulus) * modulus

/** Time until the next reading; a whole interval exactly at one. */
export const untilNextReadingS = ({ intervalS, firstObsS }: OdSchedule, nowS: number): number =>
  intervalS - remainder(nowS - firstObsS, intervalS)

/** Whether there is time to act between two readings. */
export const canDodge = ({ intervalS, readingS }: OdSchedule, { preS, postS }: DodgeDelays): boolean =>
  intervalS - readingS > preS + postS

/** Delay of the first action, right after a reading. */
export const firstActionAfterS = (schedule: OdSchedule, { postS }: DodgeDelays, nowS: number): number =>
  untilNextReadingS(schedule, nowS) + postS + schedule.readingS

/** Delay of the next action for who acts already: right after the present reading, or the one before, where that is still to come. */
export function nextActionAfterS(schedule: OdSchedule, { postS }: DodgeDelays, nowS: number): number {
  const { intervalS, readingS } = schedule
  const sinceReadingS = intervalS - untilNextReadingS(schedule, nowS)
  const delayS = postS + readingS - sinceReadingS
  return delayS >= 0 ? delayS : delayS + intervalS
}

/** How long to work undisturbed before getting ready for the next reading.
 * @param actionS how long the action after the last reading took. @returns null when the interval leaves no time. */
export function waitBeforeReadingS(
  schedule: OdSchedule,
  { preS, postS }: DodgeDelays,
  actionS: number,
  nowS: number,
): number | null {
  const budget = schedule.intervalS - schedule.readingS - (preS + postS) - actionS
  if (budget <= 0) return null
  return Math.min(budget, Math.max(0, untilNextReadingS(schedule, nowS) - preS))
}

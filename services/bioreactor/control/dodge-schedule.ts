/** When to act around optical readings that repeat every `intervalS` from `firstObsS` on. Seconds; wall time for instants. */
export interface OdSchedule {
  readonly intervalS: number
  readonly firstObsS: number
}

export interface DodgeDelays {
  readonly preS: number
  readonly postS: number
}

/** What a reading is taken to last. */
export const READING_S = 1.0

const remainder = (value: number, modulus: number): number => value - Math.floor(value / modulus) * modulus

/** Time until the next reading; a whole interval exactly at one. */
export const untilNextReadingS = ({ intervalS, firstObsS }: OdSchedule, nowS: number): number =>
  intervalS - remainder(nowS - firstObsS, intervalS)

/** Whether there is time to act between two readings. */
export const canDodge = ({ intervalS }: OdSchedule, { preS, postS }: DodgeDelays): boolean =>
  intervalS - READING_S > preS + postS

/** Delay of the first action, right after a reading. */
export const firstActionAfterS = (schedule: OdSchedule, { postS }: DodgeDelays, nowS: number): number =>
  untilNextReadingS(schedule, nowS) + postS + READING_S

/** How long to work undisturbed before getting ready for the next reading.
 * @param actionS how long the action after the last reading took. @returns null when the interval leaves no time. */
export function waitBeforeReadingS(
  schedule: OdSchedule,
  { preS, postS }: DodgeDelays,
  actionS: number,
  nowS: number,
): number | null {
  const budget = schedule.intervalS - READING_S - (preS + postS) - actionS
  if (budget <= 0) return null
  return Math.min(budget, Math.max(0, untilNextReadingS(schedule, nowS) - preS))
}

/** A bar that turns slower than this share of its target stands: a held one jerks, and each jerk may be an edge of the Hall sensor. */
const STANDING_SHARE = 0.1
/** It is judged by what it did in so long, s, or in which it should have turned twice. */
const WINDOW_S = 3
const TURNS = 2
/** After a change of the duty cycle the motor is left alone for so long, s. */
const SPIN_UP_S = 1
/** From a kick in vain to the next one, s; twice as long after each. */
const FIRST_PAUSE_S = 5

export const isStanding = (measuredRpm: number, targetRpm: number): boolean => measuredRpm < STANDING_SHARE * targetRpm

/** What the motor does now. */
export interface StallLook {
  readonly atS: number
  /** Revolutions counted since whenever. */
  readonly revolutions: number
  readonly targetRpm: number
  /** Since when it has turned with the same duty cycle, s. */
  readonly steadySinceS: number
}

/** Finds a stalled bar within seconds from what the Hall sensor counts, however seldom its speed is controlled. Times are of a clock that never jumps. */
export class StallWatch {
  readonly #longestPauseS: number
  #looks: Pick<StallLook, 'atS' | 'revolutions'>[] = []
  #kicks = 0
  #restUntilS = Number.NEGATIVE_INFINITY

  /** @param longestPauseS from one kick in vain to the next */
  constructor(longestPauseS: number) {
    this.#longestPauseS = longestPauseS
  }

  /** Kicks since it last turned. */
  get kicks(): number {
    return this.#kicks
  }

  /** @returns whether the bar turns; null while that cannot be said */
  look({ atS, revolutions, targetRpm, steadySinceS }: StallLook): boolean | null {
    const windowS = Math.max(WINDOW_S, (60 * TURNS) / targetRpm)
    this.#looks = this.#looks.filter((past) => past.atS >= steadySinceS + SPIN_UP_S)
    if (atS >= steadySinceS + SPIN_UP_S) this.#looks.push({ atS, revolutions })
    // The latest look that is a whole window ago, and those since.
    const from = this.#looks.findLastIndex((past) => atS - past.atS >= windowS)
    if (from === -1) return null
    this.#looks = this.#looks.slice(from)
    const [first = { atS, revolutions }] = this.#looks
    return !isStanding((60 * (revolutions - first.revolutions)) / (atS - first.atS), targetRpm)
  }

  /** Whether a bar that stands is to be kicked now, rather than later. */
  mayKick(atS: number): boolean {
    return atS >= this.#restUntilS
  }

  kicked(atS: number): void {
    this.#restUntilS = atS + Math.min(FIRST_PAUSE_S * 2 ** this.#kicks, this.#longestPauseS)
    this.#kicks++
    this.#looks = []
  }

  turns(): void {
    this.#kicks = 0
    this.#restUntilS = Number.NEGATIVE_INFINITY
  }
}

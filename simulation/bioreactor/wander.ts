import type { Random } from '../random.js'

export interface WanderOptions {
  /** Standard deviation about 0. */
  readonly deviation: number
  readonly timeConstantS: number
  /** Between the points that chance decides; the way from one to the next is straight. */
  readonly stepS: number
}

/** A value that wanders about 0 (Ornstein–Uhlenbeck), as a function of time: the same however often it is asked for.
 * @returns The value at a time in s from the beginning, which must not run backwards by more than a step. */
export function createWander(
  random: Random,
  { deviation, timeConstantS, stepS }: WanderOptions,
): (timeS: number) => number {
  const keptShare = Math.exp(-stepS / timeConstantS)
  const push = deviation * Math.sqrt(1 - keptShare ** 2)
  let [index, from, to] = [0, 0, push * random.gaussian()]
  return (timeS) => {
    for (; (index + 1) * stepS <= timeS; index++) {
      from = to
      to = to * keptShare + push * random.gaussian()
    }
    return from + (to - from) * (timeS / stepS - index)
  }
}

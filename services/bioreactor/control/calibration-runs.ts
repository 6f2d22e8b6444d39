import { roundHalfEven } from '../../../primitives/round.js'

/** What calibration runs measure at. Source: protocols of Pioreactor 26.7. */

const STIRRING_POINTS = 5

/** Duty cycles in % of a stirring calibration: down, up and down again, so that a drift and a lag show.
 * @param initialDuty of the configuration; the ends are 0.66 and 1.33 times it, at most 100 %.
 * @param ends in its place, where somebody gives them. */
export function stirringDuties(
  initialDuty: number,
  ends: readonly [low: number, high: number] = [0.66 * initialDuty, Math.min(1.33 * initialDuty, 100)],
): readonly number[] {
  const [low, high] = ends
  const up = Array.from({ length: STIRRING_POINTS }, (_, index) =>
    roundHalfEven(low + ((high - low) * index) / (STIRRING_POINTS - 1), 3),
  )
  const down = [...up].reverse()
  return [...down, ...up, ...down]
}

/** How long a pump runs in each test of its calibration, s: four short runs, two between, four long ones, so that the line is sure at
 * both ends of the volumes it is made for. @param tracer a run of known time whose volume was measured. */
export function pumpTestSeconds(
  volumesMl: readonly number[],
  tracer: { readonly seconds: number; readonly ml: number },
): readonly number[] {
  const secondsPerMl = tracer.seconds / tracer.ml
  const shortest = 0.8 * Math.min(...volumesMl) * secondsPerMl
  const longest = 1.1 * Math.max(...volumesMl) * secondsPerMl
  const middle = (shortest + longest) / 2
  return [shortest, shortest, shortest, shortest, middle, middle, longest, longest, longest, longest]
}

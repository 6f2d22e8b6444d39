import { type Curve, evaluate, slopeAt } from '../curve.js'

/** A model that combines photodiodes at several angles: what each sees at a concentration, and how much it scatters there. Both are
 * curves over lg of the concentration, of ln of the reading. Source: calibration files of Pioreactor 26.7. */
export interface FusionEstimator {
  readonly angles: readonly string[]
  readonly mu_splines: Readonly<Record<string, Curve>>
  readonly sigma_splines_log: Readonly<Record<string, Curve>>
  /** Where it was recorded, lg of the concentration. */
  readonly min_logc: number
  readonly max_logc: number
  readonly sigma_floor: number
  /** By how much scatter counts more towards `min_logc`. Derived when empty. */
  readonly low_conc_scales: Readonly<Record<string, number>>
}

export interface FusedOd {
  readonly od: number
  /** Whether it lies within 0.1 % of an end of the recorded range, where it tells no more than "at least" or "at most". */
  readonly atBound: boolean
}

const MIN_READING = 1e-12
/** A flat curve still tells something. */
const MIN_SLOPE = 0.05

/** The concentration that explains the raw readings best. @param readings by angle. @returns null when an angle is missing or nothing fits. */
export function fuseOd(estimator: FusionEstimator, readings: Readonly<Record<string, number>>): FusedOd | null {
  const { angles, min_logc, max_logc } = estimator
  if (!angles.every((angle) => Number.isFinite(readings[angle]))) return null
  // Derived once, not at each of the hundreds of points that are tried.
  const scaled = { ...estimator, low_conc_scales: lowConcentrationScales(estimator) }
  const od = 10 ** minimise((L) => fusionCost(scaled, readings, L), min_logc, max_logc)
  if (!Number.isFinite(od)) return null
  const near = (bound: number): boolean => Math.abs(od - 10 ** bound) <= 1e-3 * 10 ** bound
  return { od, atBound: near(min_logc) || near(max_logc) }
}

/** How badly lg concentration L explains the readings: −ln likelihood with tails that grow only linearly (pseudo-Huber). */
export function fusionCost(estimator: FusionEstimator, readings: Readonly<Record<string, number>>, L: number): number {
  const { angles, mu_splines, min_logc, max_logc, sigma_floor } = estimator
  const scales = lowConcentrationScales(estimator)
  const low = L <= min_logc ? 1 : L >= max_logc ? 0 : (max_logc - L) / (max_logc - min_logc)
  return angles.reduce((total, angle) => {
    const mu = mu_splines[angle] ?? NO_CURVE
    const sigma = sigmaAt(estimator, angle, L, sigma_floor)
    const slope = Math.max(Math.abs(slopeAt(mu, L)), MIN_SLOPE)
    const error = (sigma / slope) * (1 - low + (scales[angle] ?? 1) * low)
    const residual = (Math.log(Math.max(readings[angle] ?? 0, MIN_READING)) - evaluate(mu, L)) / error
    return total + Math.sqrt(1 + residual ** 2) - 1 + Math.log(error)
  }, 0)
}

const NO_CURVE: Curve = { type: 'poly', coefficients: [] }

const sigmaAt = ({ sigma_splines_log }: FusionEstimator, angle: string, L: number, floor: number): number =>
  Math.max(Math.exp(evaluate(sigma_splines_log[angle] ?? NO_CURVE, L)), floor)

/** Of the three angles of the reactor: 45° saturates first and says little of thin cultures, 135° most. */
const STANDARD_SCALES: Readonly<Record<string, number>> = { '135': 0.04, '90': 4, '45': 10 }

/** Those stored; else those known for the standard angles; else the scatter at the thin end, relative to the smallest. */
export function lowConcentrationScales(estimator: FusionEstimator): Readonly<Record<string, number>> {
  const { angles, low_conc_scales, min_logc, sigma_floor } = estimator
  if (Object.keys(low_conc_scales).length > 0) return low_conc_scales
  if ([...angles].sort().join() === Object.keys(STANDARD_SCALES).sort().join()) return STANDARD_SCALES
  const sigmas = angles.map((angle) => sigmaAt(estimator, angle, min_logc, sigma_floor))
  const least = Math.min(...sigmas)
  return Object.fromEntries(angles.map((angle, index) => [angle, (sigmas[index] ?? least) / least]))
}

const GRID_POINTS = 256
const REFINED = 4

/** Least value of a function with several valleys: a grid, then golden sections in its four lowest valleys. */
export function minimise(cost: (x: number) => number, low: number, high: number): number {
  if (high <= low) return low
  const step = (high - low) / (GRID_POINTS - 1)
  const points = Array.from({ length: GRID_POINTS }, (_, index) => low + step * index)
  const costs = points.map(cost)
  const costAt = (index: number): number => costs[index] ?? Number.POSITIVE_INFINITY
  const valleys = points
    .map((x, index) => ({ x, cost: costAt(index), index }))
    .filter(({ cost: own, index }) => own <= costAt(index - 1) && own <= costAt(index + 1))
    .sort((one, other) => one.cost - other.cost)
    .slice(0, REFINED)
  let best = valleys[0] ?? { x: Number.NaN, cost: Number.POSITIVE_INFINITY }
  for (const { x } of valleys) {
    const refined = goldenSection(cost, Math.max(low, x - step), Math.min(high, x + step))
    const found = { x: refined, cost: cost(refined) }
    if (found.cost < best.cost) best = found
  }
  return best.x
}

const GOLDEN = (1 + Math.sqrt(5)) / 2
const TOLERANCE = 1e-6
const MAX_ROUNDS = 64

/** Least value of a function with one valley, to 10⁻⁶. */
export function goldenSection(cost: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high]
  for (let round = 0; round < MAX_ROUNDS && b - a > TOLERANCE; round++) {
    const width = b - a
    const [c, d] = [a + width / GOLDEN ** 2, a + width / GOLDEN]
    if (cost(c) < cost(d)) b = d
    else a = c
  }
  return (a + b) / 2
}

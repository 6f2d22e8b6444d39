import { type Static, Type } from '@sinclair/typebox'
import { clamp } from '../../../../primitives/round.js'

const Vector3 = Type.Tuple([Type.Number(), Type.Number(), Type.Number()])
type Vector3 = Static<typeof Vector3>

/** The extended Kalman filter of the growth rate between two readings: plain JSON, to be stored and restored. */
export const GrowthFilter = Type.Object({
  /** ln of the normalised OD, growth rate in h⁻¹, its drift in h⁻². */
  x: Vector3,
  /** Covariance of x, row by row. */
  P: Type.Tuple([Vector3, Vector3, Vector3]),
  /** Process noise of a step, diagonal. */
  Q: Vector3,
  /** Measurement variance of each channel, in normalised OD². */
  R: Type.Array(Type.Number()),
  /** Variance of ln OD that is always assumed, and the one that the readings have shown lately. */
  baseLogVariance: Type.Number(),
  logVariance: Type.Number(),
})
export type GrowthFilter = Static<typeof GrowthFilter>

/** One set of readings. */
export interface GrowthObservation {
  /** Normalised OD of each channel, positive, in the order of R. */
  readonly od: readonly number[]
  /** Since the observation before, h; not negative. */
  readonly elapsedH: number
  /** Something was pumped shortly before. */
  readonly dosed: boolean
  /** What is known of a dilution since the observation before: the change of ln OD it makes, ≤ 0. Then the covariance grows by
   * what is uncertain of the volumes in place of the flat allowance for a dose of unknown size. */
  readonly dilution?: number
}

export interface GrowthStep {
  readonly filter: GrowthFilter
  /** Deviation of the observation in standard deviations of what was expected. */
  readonly deviation: number
  readonly isOutlier: boolean
}

const MIN_OD = 1e-9
const MIN_VARIANCE = 1e-12
/** Of the drift from step to step. */
const DRIFT_MEMORY = 0.995
const MIN_RATE = -1
const MAX_RATE = 3
/** What a dose of unknown size adds to the variances of ln OD and of the growth rate. */
const DOSE_LOG_VARIANCE = 0.05
const DOSE_RATE_VARIANCE = 1e-4
/** Standard error of a dilution told by pumped volumes, as a share of it. With less a pump 5 % off shifts the growth rate by 2 % and more;
 * with more little is left of what the volume tells. */
const DILUTION_ERROR = 0.5
/** Fresh medium changes how fast the cells grow. With less a fast culture is followed late, with more a slow one is told with more noise. */
const DILUTION_RATE_VARIANCE = 3e-5

/** One step: predicts, weighs the channels against each other, corrects. An outlier counts less the farther off it is, and is never
 * thrown away. Returns null when the numbers run out of range. Source: growth-rate filter grpredict 26.4 of Pioreactor 26.7.
 * @param threshold standard deviations from which an observation is an outlier. */
export function growthStep(
  { x, P, Q, R, baseLogVariance, logVariance }: GrowthFilter,
  { od, elapsedH, dosed, dilution }: GrowthObservation,
  threshold: number,
): GrowthStep | null {
  const observed = combine(od, R, baseLogVariance)
  const predicted = predict(x, elapsedH, dilution ?? 0)
  const spread = predictCovariance(P, Q, elapsedH)
  if (dilution !== undefined) {
    spread[0][0] += (DILUTION_ERROR * dilution) ** 2
    spread[1][1] += DILUTION_RATE_VARIANCE
  } else if (dosed) {
    spread[0][0] += DOSE_LOG_VARIANCE
    spread[1][1] += DOSE_RATE_VARIANCE
  }

  const innovation = observed.log - predicted[0]
  const measured = Math.max(observed.variance, logVariance)
  const expected = Math.max(spread[0][0] + measured, MIN_VARIANCE)
  const deviation = innovation / Math.sqrt(expected)
  const isOutlier = Math.abs(deviation) > threshold
  const trusted = isOutlier ? measured * Math.max((deviation / threshold) ** 2, 1) : measured
  const total = spread[0][0] + trusted
  const gain = map3((row) => spread[row][0] / Math.max(total, MIN_VARIANCE))

  const corrected = map3((row) => predicted[row] + gain[row] * innovation)
  const nextX: Vector3 = [corrected[0], clamp(MIN_RATE, corrected[1], MAX_RATE), corrected[2]]
  const nextP = map3((row) =>
    map3((column) => {
      const value = spread[row][column] - gain[row] * spread[0][column]
      return row === column ? Math.max(value, MIN_VARIANCE) : value
    }),
  )
  if (![...nextX, ...nextP.flat()].every(Number.isFinite)) return null

  const isCalm = !isOutlier && !dosed && dilution === undefined
  const shown = 0.98 * logVariance + 0.02 * Math.min(innovation ** 2, 16 * total)
  const nextVariance = isCalm ? Math.max(baseLogVariance, shown) : logVariance
  const nextR = isCalm ? R.map(() => nextVariance * Math.max(Math.exp(nextX[0]), MIN_OD) ** 2) : R
  return {
    filter: { x: nextX, P: nextP, Q, R: nextR, baseLogVariance, logVariance: nextVariance },
    deviation,
    isOutlier,
  }
}

/** Channels as one observation of ln OD, each weighted by its precision. */
function combine(
  od: readonly number[],
  R: readonly number[],
  baseLogVariance: number,
): { readonly log: number; readonly variance: number } {
  let [weights, weighted] = [0, 0]
  od.forEach((value, channel) => {
    const level = Math.max(value, MIN_OD)
    const variance = Math.max(Math.max(R[channel] ?? 0, MIN_VARIANCE) / level ** 2, baseLogVariance)
    weights += 1 / variance
    weighted += Math.log(level) / variance
  })
  return { log: weighted / weights, variance: 1 / weights }
}

type Index = 0 | 1 | 2
type Matrix3 = [Vector3, Vector3, Vector3]

const map3 = <T>(each: (index: Index) => T): [T, T, T] => [each(0), each(1), each(2)]

const predict = ([log, rate, drift]: Vector3, h: number, dilution: number): Vector3 => [
  log + rate * h + (drift * h * h) / 2 + dilution,
  rate + drift * h,
  DRIFT_MEMORY * drift,
]

/** F·P·Fᵀ + Q for the linear step F of `predict`. */
function predictCovariance(P: Matrix3, Q: Vector3, h: number): Matrix3 {
  const F: Matrix3 = [
    [1, h, (h * h) / 2],
    [0, 1, h],
    [0, 0, DRIFT_MEMORY],
  ]
  const dot = (one: Vector3, other: Vector3): number => one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
  const FP = map3((row) => map3((column) => dot(F[row], [P[0][column], P[1][column], P[2][column]])))
  return map3((row) => map3((column) => dot(FP[row], F[column]) + (row === column ? Q[row] : 0)))
}

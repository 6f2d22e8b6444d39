import { defineError } from '../../../../events/core/errors.js'

export const CurveNotFitted = defineError('curve.not_fitted', 'input', 'Points do not determine a curve of this kind.')

/** Measured points, with how much each counts. Lists of equal length. */
export interface Points {
  readonly x: readonly number[]
  readonly y: readonly number[]
  /** Multiplies the residual before it is squared; 1 where not given. */
  readonly weights?: readonly number[]
}

/** The points with a weight each. @throws CurveNotFitted when lists differ in length, are empty, or hold what is no number or a negative weight. */
export function checkPoints({ x, y, weights }: Points, least: number): Required<Points> {
  const given = weights ?? x.map(() => 1)
  if (x.length !== y.length || given.length !== x.length) {
    throw new CurveNotFitted(
      `x, y and weights have ${x.length}, ${y.length} and ${given.length} values; they must have as many.`,
    )
  }
  if (x.length < least) throw new CurveNotFitted(`There are ${x.length} points; at least ${least} are needed.`)
  if (![...x, ...y].every(Number.isFinite)) throw new CurveNotFitted('Every point must be two numbers.')
  if (!given.every((weight) => weight >= 0)) throw new CurveNotFitted('A weight is negative; it must be 0 or more.')
  return { x, y, weights: given }
}

export const distinct = (values: readonly number[]): readonly number[] =>
  [...new Set(values)].sort((one, other) => one - other)

/** Corrected Akaike criterion of a least-squares fit; infinite when there are too few points for so many parameters.
 * @param squares residuals squared times weights, summed up */
export function aicc(n: number, parameters: number, squares: number): number {
  if (n <= parameters + 1) return Number.POSITIVE_INFINITY
  const floored = Math.max(squares, 2.2250738585072014e-308)
  const correction = (2 * parameters * (parameters + 1)) / (n - parameters - 1)
  return n * Math.log(floored / n) + 2 * parameters + correction
}

/** Weighted squares of the residuals of a fit, as the criterion counts them. */
export const weightedSquares = ({ x, y, weights }: Required<Points>, value: (x: number) => number): number =>
  x.reduce((total, at, index) => total + (weights[index] ?? 0) * ((y[index] ?? 0) - value(at)) ** 2, 0)

/** The candidate with the lowest score; the first of equals, and the first when all are infinite. */
export function lowestScore<T extends { readonly score: number }>(candidates: readonly [T, ...T[]]): T {
  return candidates.reduce((best, candidate) => (candidate.score < best.score ? candidate : best))
}

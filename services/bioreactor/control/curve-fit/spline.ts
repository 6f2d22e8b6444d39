import { type Curve, evaluate } from '../curve.js'
import { solveLinear } from '../linear-equations.js'
import { orthogonalFit } from './orthogonal-fit.js'
import { aicc, CurveNotFitted, checkPoints, distinct, lowestScore, type Points, weightedSquares } from './points.js'

const MAX_KNOTS = 6

/** Natural cubic regression spline: what its values at the knots must be for least squares.
 * @param knots their number, spread over the quantiles of x; or the knots themselves, to which the ends of x are added; by default
 * the number that the corrected Akaike criterion prefers.
 * @throws CurveNotFitted. Source: calibrations of Pioreactor 26.7. */
export function fitSpline(points: Points, knots?: number | readonly number[]): Curve {
  const checked = checkPoints(points, 2)
  const { x } = checked
  const unique = distinct(x)
  if (unique.length < 2) throw new CurveNotFitted('Every x is the same; a spline needs two.')
  if (typeof knots === 'number') return throughKnots(checked, quantiles(x, knots))
  if (knots !== undefined) {
    if (knots.length === 0) throw new CurveNotFitted('The list of knots is empty.')
    return throughKnots(checked, withEnds(knots, unique))
  }
  const most = Math.max(2, Math.min(MAX_KNOTS, unique.length))
  const scored = (count: number) => {
    const placed = quantiles(x, count)
    const curve = throughKnots(checked, placed)
    return {
      curve,
      score: aicc(
        x.length,
        placed.length,
        weightedSquares(checked, (at) => evaluate(curve, at)),
      ),
    }
  }
  const more = Array.from({ length: most - 2 }, (_, index) => scored(index + 3))
  return lowestScore([scored(2), ...more]).curve
}

/** Natural cubic spline through every point; x ascending and distinct. */
export function interpolateSpline(knots: readonly number[], values: readonly number[]): Curve {
  const last = knots.length - 1
  const at = (list: readonly number[], index: number): number => list[index] ?? 0
  const h = (i: number): number => at(knots, i + 1) - at(knots, i)
  const slope = (i: number): number => (at(values, i + 1) - at(values, i)) / h(i)
  // Second derivatives: 0 at the ends.
  const inner = Array.from({ length: Math.max(0, last - 1) }, (_, index) => index + 1)
  const rows = inner.map((i) =>
    inner.map((j) => (j === i ? 2 * (h(i - 1) + h(i)) : j === i - 1 ? h(i - 1) : j === i + 1 ? h(i) : 0)),
  )
  const bends =
    solveLinear(
      rows,
      inner.map((i) => 6 * (slope(i) - slope(i - 1))),
    ) ?? []
  const M = [0, ...bends, 0]
  const coefficients = Array.from({ length: last }, (_, i) => [
    at(values, i),
    slope(i) - (h(i) * (2 * at(M, i) + at(M, i + 1))) / 6,
    at(M, i) / 2,
    (at(M, i + 1) - at(M, i)) / (6 * h(i)),
  ])
  return { type: 'spline', knots, coefficients }
}

function throughKnots({ x, y, weights }: Required<Points>, knots: readonly number[]): Curve {
  if (knots.length < 2) throw new CurveNotFitted(`There are ${knots.length} distinct knots; a spline needs two.`)
  const unit = knots.map((_, knot) =>
    interpolateSpline(
      knots,
      knots.map((__, other) => (other === knot ? 1 : 0)),
    ),
  )
  const root = weights.map(Math.sqrt)
  const rows = x.map((at, index) => unit.map((curve) => (root[index] ?? 1) * evaluate(curve, at)))
  const values = orthogonalFit(
    rows,
    y.map((value, index) => value * (root[index] ?? 1)),
  )
  if (values === null) throw new CurveNotFitted(`The points do not determine a spline with ${knots.length} knots.`)
  return interpolateSpline(knots, values)
}

/** Equally spaced quantiles from the least to the greatest, between order statistics by proportion. */
function quantiles(values: readonly number[], count: number): readonly number[] {
  if (!Number.isInteger(count) || count < 2)
    throw new CurveNotFitted(`The number of knots is ${count}; it must be 2 or more.`)
  const ascending = [...values].sort((one, other) => one - other)
  return distinct(
    Array.from({ length: count }, (_, index) => {
      const position = (index / (count - 1)) * (ascending.length - 1)
      const below = Math.floor(position)
      const low = ascending[below] ?? 0
      return low + (position - below) * ((ascending[below + 1] ?? low) - low)
    }),
  )
}

const withEnds = (knots: readonly number[], unique: readonly number[]): readonly number[] =>
  distinct([
    ...knots,
    ...[unique[0] ?? 0].filter((x) => x < Math.min(...knots)),
    ...[unique.at(-1) ?? 0].filter((x) => x > Math.max(...knots)),
  ])

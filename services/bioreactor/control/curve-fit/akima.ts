import type { Curve } from '../curve.js'
import { mean } from '../statistics.js'
import { CurveNotFitted, checkPoints, distinct, type Points } from './points.js'

/** Akima's curve through every point: cubics whose slope at a point leans to the straighter side, so that one outlier bends little.
 * Points with the same x are averaged. @throws CurveNotFitted. Source: calibrations of Pioreactor 26.7; two points give a line. */
export function interpolateAkima(points: Points): Curve {
  const { x, y } = checkPoints(points, 2)
  const knots = distinct(x)
  if (knots.length < 2) throw new CurveNotFitted('Every x is the same; a curve needs two.')
  const values = knots.map((knot) => mean(y.filter((_, index) => x[index] === knot)))
  const inner = knots.slice(1).map((knot, i) => {
    const left = knots[i] ?? 0
    return ((values[i + 1] ?? 0) - (values[i] ?? 0)) / (knot - left)
  })
  const slopes = extended(inner)
  // Of point i: two slopes to its left are at i and i + 1, two to its right at i + 2 and i + 3.
  const at = (index: number): number => slopes[index] ?? 0
  const tangents = knots.map((_, i) => {
    const [outerLeft, left, right, outerRight] = [at(i), at(i + 1), at(i + 2), at(i + 3)]
    const [forLeft, forRight] = [Math.abs(outerRight - right), Math.abs(left - outerLeft)]
    return forLeft + forRight === 0 ? (left + right) / 2 : (forLeft * left + forRight * right) / (forLeft + forRight)
  })
  const coefficients = inner.map((slope, i) => {
    const h = (knots[i + 1] ?? 0) - (knots[i] ?? 0)
    const [t, u] = [tangents[i] ?? 0, tangents[i + 1] ?? 0]
    return [values[i] ?? 0, t, (3 * slope - 2 * t - u) / h, (t + u - 2 * slope) / (h * h)]
  })
  return { type: 'akima', knots, coefficients }
}

/** Two more slopes at either end, in a straight line with the two before; a single slope goes on as it is. */
function extended(slopes: readonly number[]): readonly number[] {
  const [first = 0, second = first] = slopes
  const last = slopes.at(-1) ?? first
  const lastButOne = slopes.at(-2) ?? last
  const [before, after] = [2 * first - second, 2 * last - lastButOne]
  return [2 * before - first, before, ...slopes, after, 2 * after - last]
}

import { type Curve, evaluate } from '../curve.js'
import { orthogonalFit } from './orthogonal-fit.js'
import { aicc, CurveNotFitted, checkPoints, distinct, lowestScore, type Points, weightedSquares } from './points.js'

const MAX_DEGREE = 5

/** Polynomial of least squares; of the degree that the corrected Akaike criterion prefers when none is given.
 * @throws CurveNotFitted. Source: calibrations of Pioreactor 26.7. */
export function fitPolynomial(points: Points, degree?: number): Curve {
  const checked = checkPoints(points, (degree ?? 0) + 1)
  if (degree !== undefined) return ofDegree(checked, degree)
  const n = checked.x.length
  const highest = Math.min(MAX_DEGREE, n - 1, distinct(checked.x).length - 1)
  const scored = (tried: number) => {
    const curve = ofDegree(checked, tried)
    return {
      curve,
      score: aicc(
        n,
        tried + 1,
        weightedSquares(checked, (x) => evaluate(curve, x)),
      ),
    }
  }
  const higher = Array.from({ length: highest }, (_, index) => scored(index + 1))
  return lowestScore([scored(0), ...higher]).curve
}

function ofDegree({ x, y, weights }: Required<Points>, degree: number): Curve {
  if (!Number.isInteger(degree) || degree < 0)
    throw new CurveNotFitted(`The degree is ${degree}; it must be 0 or more.`)
  const rows = x.map((at, index) => {
    const weight = weights[index] ?? 1
    return Array.from({ length: degree + 1 }, (_, power) => weight * at ** (degree - power))
  })
  const right = y.map((value, index) => value * (weights[index] ?? 1))
  const coefficients = orthogonalFit(rows, right)
  if (coefficients === null) throw new CurveNotFitted(`The points do not determine a polynomial of degree ${degree}.`)
  return { type: 'poly', coefficients }
}

/** Line through the origin, as pumps have it. @returns slope and its standard error. @throws CurveNotFitted */
export function fitThroughOrigin(points: Points): { readonly slope: number; readonly standardError: number } {
  const { x, y } = checkPoints(points, 2)
  const squares = x.reduce((total, value) => total + value * value, 0)
  if (squares === 0) throw new CurveNotFitted('Every x is 0; nothing tells the slope.')
  const slope = x.reduce((total, value, index) => total + value * (y[index] ?? 0), 0) / squares
  const rest = x.reduce((total, value, index) => total + ((y[index] ?? 0) - slope * value) ** 2, 0)
  return { slope, standardError: Math.sqrt(rest / (x.length - 1) / squares) }
}

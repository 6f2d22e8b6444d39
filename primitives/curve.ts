/** A calibration curve. `poly` has the highest power first; the piecewise cubics have one row a + b·u + c·u² + d·u³ per interval,
 * u from the interval's left knot. Source: calibration files of Pioreactor 26.7. */
export type Curve =
  | { readonly type: 'poly'; readonly coefficients: readonly number[] }
  | {
      readonly type: 'spline' | 'akima'
      readonly knots: readonly number[]
      readonly coefficients: readonly (readonly number[])[]
    }

/** Value of the curve at x; outside the knots the end pieces go on. NaN for an empty curve. */
export function evaluate(curve: Curve, x: number): number {
  if (curve.type === 'poly') {
    return curve.coefficients.length === 0 ? Number.NaN : curve.coefficients.reduce((sum, c) => sum * x + c, 0)
  }
  const { a, b, c, d, u } = pieceAt(curve, x)
  return a + u * (b + u * (c + u * d))
}

/** The cubic that holds at x, and x in its own variable. */
export function pieceAt({ knots, coefficients }: Exclude<Curve, { type: 'poly' }>, x: number) {
  const passed = knots.filter((knot) => knot <= x).length
  const piece = Math.min(Math.max(passed - 1, 0), coefficients.length - 1)
  const [a = Number.NaN, b = Number.NaN, c = 0, d = 0] = coefficients[piece] ?? []
  return { a, b, c, d, u: x - (knots[piece] ?? 0) }
}

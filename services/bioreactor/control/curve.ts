import { type Curve, pieceAt } from '../../../primitives/curve.js'
import { roundHalfEven } from '../../../primitives/round.js'

export { type Curve, evaluate } from '../../../primitives/curve.js'

/** Why a piecewise curve is none; null when it is one, or a polynomial. */
export function curveProblem(curve: Curve): string | null {
  if (curve.type === 'poly') return null
  const { type, knots, coefficients } = curve
  if (knots.length === 0 && coefficients.length === 0) return null
  if (coefficients.some((row) => row.length !== 4)) return `Invalid ${type} format: every piece has four coefficients.`
  if (coefficients.length !== knots.length - 1) return 'Coefficient count must be len(knots) - 1.'
  const isOrdered = knots.every((knot, index) => index === 0 || knot > (knots[index - 1] ?? knot))
  return isOrdered ? null : 'Knots must be strictly increasing.'
}

export type Inverse = { readonly kind: 'inside'; readonly x: number } | { readonly kind: 'below' | 'above' | 'none' }

/** Slope of the curve at x; at a knot that of the piece to its right. NaN for an empty curve. */
export function slopeAt(curve: Curve, x: number): number {
  if (curve.type === 'poly') {
    const { coefficients } = curve
    const degree = coefficients.length - 1
    return degree < 0 ? Number.NaN : coefficients.slice(0, -1).reduce((sum, c, i) => sum * x + c * (degree - i), 0)
  }
  const { b, c, d, u } = pieceAt(curve, x)
  return b + u * (2 * c + 3 * u * d)
}

/** Every x at which the curve has the value y, ascending. */
export function candidates(curve: Curve, y: number): readonly number[] {
  if (curve.type === 'poly') {
    const { coefficients } = curve
    if (coefficients.length === 0) return []
    const shifted = coefficients.map((c, index) => (index === coefficients.length - 1 ? c - y : c))
    return realRoots(shifted, (re) => 1e-10 * (Math.abs(re) + 1))
  }
  const { knots, coefficients } = curve
  const found = coefficients.flatMap((row, index) => {
    const [a = 0, b = 0, c = 0, d = 0] = row
    const left = knots[index] ?? 0
    const length = (knots[index + 1] ?? left) - left
    const low = index === 0 ? Number.NEGATIVE_INFINITY : 0
    const high = index === coefficients.length - 1 ? Number.POSITIVE_INFINITY : length
    const trimmed = dropTiny([d, c, b, a - y])
    const whole = trimmed.length === 0 && Number.isFinite(low) && Number.isFinite(high)
    const roots = whole ? [0, length] : realRoots(trimmed, () => 1e-9)
    return roots.filter((u) => u >= low - 1e-9 && u <= high + 1e-9).map((u) => left + Math.min(Math.max(u, low), high))
  })
  const ascending = found.sort((p, q) => p - q)
  return ascending.filter((x, index) => index === 0 || x - (ascending[index - 1] ?? x) > 1e-7)
}

/** Decimals of an inverse; what differs by less than half of the last one lies on the domain's edge. */
const DECIMALS = 10

/** The x for a y, as calibrations use it: the smallest candidate inside the domain, or on which side of it the nearest one lies.
 * Candidates are rounded first, so that an edge is inside whatever the search for roots lost in the last digits. */
export function invert(curve: Curve, y: number, [low, high]: readonly [number, number]): Inverse {
  const xs = candidates(curve, y).map((x) => roundHalfEven(x, DECIMALS))
  const inside = xs.find((x) => x >= roundHalfEven(low, DECIMALS) && x <= roundHalfEven(high, DECIMALS))
  if (inside !== undefined) return { kind: 'inside', x: inside }
  if (xs.length === 0) return { kind: 'none' }
  return { kind: nearest(xs, [low, high]) < low ? 'below' : 'above' }
}

/** The candidate inside the domain, else the one nearest to it, the smaller on a tie; undefined without candidates. */
export function invertUnbounded(curve: Curve, y: number, domain: readonly [number, number]): number | undefined {
  const xs = candidates(curve, y)
  return xs.length === 0 ? undefined : roundHalfEven(nearest(xs, domain), DECIMALS)
}

function nearest(xs: readonly number[], [low, high]: readonly [number, number]): number {
  const distance = (x: number): number => Math.max(low - x, x - high, 0)
  return xs.reduce((best, x) => (distance(x) < distance(best) ? x : best))
}

const dropTiny = (coefficients: readonly number[]): readonly number[] => {
  const start = coefficients.findIndex((c) => Math.abs(c) >= 1e-12)
  return start === -1 ? [] : coefficients.slice(start)
}

/** Real roots, ascending, of a polynomial with the highest power first. @param tolerance of the imaginary part, by real part. */
function realRoots(coefficients: readonly number[], tolerance: (re: number) => number): readonly number[] {
  const start = coefficients.findIndex((c) => c !== 0)
  const [lead = 0, ...rest] = start === -1 ? [] : coefficients.slice(start)
  if (rest.length === 0) return []
  const monic = rest.map((c) => c / lead)
  return complexRoots(monic)
    .filter(({ re, im }) => Math.abs(im) <= tolerance(re))
    .map(({ re }) => polish(monic, re))
    .sort((p, q) => p - q)
}

interface Complex {
  readonly re: number
  readonly im: number
}

/** Roots of x^n + c₁·x^(n−1) + … + cₙ: closed forms up to two, Durand–Kerner beyond. */
function complexRoots(monic: readonly number[]): readonly Complex[] {
  const [b = 0, c = 0] = monic
  if (monic.length === 1) return [{ re: -b, im: 0 }]
  if (monic.length === 2) {
    const discriminant = b * b - 4 * c
    if (discriminant < 0) {
      const im = Math.sqrt(-discriminant) / 2
      return [
        { re: -b / 2, im },
        { re: -b / 2, im: -im },
      ]
    }
    // The sum of equal signs loses no digits; the other root follows from the product.
    const q = -(b + (b < 0 ? -1 : 1) * Math.sqrt(discriminant)) / 2
    return [
      { re: q, im: 0 },
      { re: q === 0 ? 0 : c / q, im: 0 },
    ]
  }
  return durandKerner(monic)
}

function durandKerner(monic: readonly number[]): readonly Complex[] {
  const radius = 1 + Math.max(...monic.map(Math.abs))
  let roots: Complex[] = monic.map((_, k) => {
    const angle = (2 * Math.PI * k) / monic.length + 0.4
    return { re: radius * Math.cos(angle), im: radius * Math.sin(angle) }
  })
  for (let step = 0; step < 500; step++) {
    let moved = 0
    roots = roots.map((root, k) => {
      const others = roots.filter((_, index) => index !== k)
      const product = others.reduce<Complex>((p, other) => multiply(p, subtract(root, other)), { re: 1, im: 0 })
      const change = divide(valueAt(monic, root), product)
      moved = Math.max(moved, Math.hypot(change.re, change.im) / (1 + Math.hypot(root.re, root.im)))
      return subtract(root, change)
    })
    if (moved < 1e-15) break
  }
  return roots
}

const valueAt = (monic: readonly number[], x: Complex): Complex =>
  monic.reduce<Complex>(
    (sum, c) => {
      const product = multiply(sum, x)
      return { re: product.re + c, im: product.im }
    },
    { re: 1, im: 0 },
  )
const subtract = (p: Complex, q: Complex): Complex => ({ re: p.re - q.re, im: p.im - q.im })
const multiply = (p: Complex, q: Complex): Complex => ({ re: p.re * q.re - p.im * q.im, im: p.re * q.im + p.im * q.re })
const divide = (p: Complex, q: Complex): Complex => {
  const size = q.re * q.re + q.im * q.im || Number.MIN_VALUE
  return { re: (p.re * q.re + p.im * q.im) / size, im: (p.im * q.re - p.re * q.im) / size }
}

/** Two Newton steps on the real axis remove what the search left. */
function polish(monic: readonly number[], root: number): number {
  let x = root
  for (let step = 0; step < 2; step++) {
    let [value, slope] = [1, 0]
    for (const c of monic) {
      slope = slope * x + value
      value = value * x + c
    }
    const next = slope === 0 ? x : x - value / slope
    if (!Number.isFinite(next)) return x
    x = next
  }
  return x
}

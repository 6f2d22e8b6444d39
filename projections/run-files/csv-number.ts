/** A double as Python's `repr` prints it, which is what pyBEEP's CSV files hold: shortest digits that restore the value, a `.0` on
 * integers, fixed notation for 1e-4 ≤ |x| < 1e16, otherwise a two-digit exponent: `0.1`, `3.0`, `1e-05`, `1.5e+16`, `nan`, `-inf`. */
export function csvNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (Number.isNaN(value)) return 'nan'
  if (size === Number.POSITIVE_INFINITY) return value > 0 ? 'inf' : '-inf'
  const text = value.toExponential()
  const mark = text.indexOf('e')
  const exponent = text.slice(mark + 2)
  return `${text.slice(0, mark + 2)}${exponent.padStart(2, '0')}`
}

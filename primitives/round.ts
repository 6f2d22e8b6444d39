/** Rounds to `digits` decimals; exact halves go to the even neighbour, as in IEEE 754 and Python.
 * @example
 * ```ts
 * const whole = roundHalfEven(2.5) // 2
 * const half = roundHalfEven(0.375, 2) // 0.38
 * const less = roundHalfEven(0.35, 1) // 0.3: the double is a little less than 0.35
 * ``` */
export function roundHalfEven(value: number, digits = 0): number {
  // The exact decimal expansion tells a true half from a double that only prints like one.
  if (digits > 0 && !/^50*$/.test(value.toFixed(60).split('.')[1]?.slice(digits) ?? ''))
    return Number(value.toFixed(digits))
  const scaled = value * 10 ** digits
  const below = Math.floor(scaled)
  const rest = scaled - below
  return (rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1) / 10 ** digits
}

export const clamp = (low: number, value: number, high: number): number => Math.max(low, Math.min(value, high))

/** Rounds to `digits` decimals; exact halves go to the even neighbour, as IEEE 754 and Python do. */
export function roundHalfEven(value: number, digits: number): number {
  // The exact decimal expansion tells a true half from a double that only prints like one (0.35 is a little less).
  const isHalf = /^50*$/.test(value.toFixed(60).split('.')[1]?.slice(digits) ?? '')
  if (!isHalf) return Number(value.toFixed(digits))
  const below = Math.floor(value * 10 ** digits)
  return (below % 2 === 0 ? below : below + 1) / 10 ** digits
}

export const clamp = (low: number, value: number, high: number): number => Math.max(low, Math.min(value, high))

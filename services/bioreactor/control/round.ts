/** Rounds to `digits` decimals; exact halves go to the even neighbour, as IEEE 754 and Python do. */
export function roundHalfEven(value: number, digits: number): number {
  const scaled = value * 10 ** digits
  const below = Math.floor(scaled)
  if (scaled - below === 0.5 && scaled / 10 ** digits === value) {
    return (below % 2 === 0 ? below : below + 1) / 10 ** digits
  }
  return Number(value.toFixed(digits))
}

export const clamp = (low: number, value: number, high: number): number => Math.max(low, Math.min(value, high))

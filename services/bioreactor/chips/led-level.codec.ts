/** Nearest integer, exact halves to the even neighbour, as Python's `round`. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

/** 8-bit level of an LED intensity of 0–100 %; both LED drivers give the same number. */
export const ledLevel = (percent: number): number => roundHalfToEven((percent / 100) * 255)

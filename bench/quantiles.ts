/** The value that the given share of the values does not exceed.
 * @param share 0 … 1. @returns NaN when there are no values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5)

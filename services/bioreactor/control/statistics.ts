/** Summaries of lists of numbers; NaN for an empty list. */

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

export const mean = (values: readonly number[]): number => sum(values) / values.length

/** Middle value; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  const ascending = [...values].sort((one, other) => one - other)
  const middle = Math.floor(ascending.length / 2)
  const upper = ascending[middle] ?? Number.NaN
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Standard deviation told by the median absolute deviation, which one outlier cannot move; 1.4826 makes it that of a normal distribution. */
export function robustSigma(values: readonly number[]): number {
  const middle = median(values)
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)))
}

/** Mean squared distance from the mean. */
export function variance(values: readonly number[]): number {
  const centre = mean(values)
  return mean(values.map((value) => (value - centre) ** 2))
}

/** How closely one list follows the other, −1 to 1 (Pearson); 0 when one of them does not vary. @param ys as many as `xs` */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  const [meanX, meanY] = [mean(xs), mean(ys)]
  const together = mean(xs.map((x, index) => (x - meanX) * ((ys[index] ?? Number.NaN) - meanY)))
  const apart = Math.sqrt(variance(xs) * variance(ys))
  return apart > 0 ? together / apart : 0
}

/** The value that the given share of the values does not exceed.
 * @param share 0 … 1. @returns NaN when there are no values. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5)

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** @param timesMs infinite for what did not come */
export const latencyOf = (timesMs: ArrayLike<number>): Latency => ({
  p50Ms: quantile(timesMs, 0.5),
  p99Ms: quantile(timesMs, 0.99),
})

/** Of several rounds. */
export const medianLatency = (rounds: readonly Latency[]): Latency => ({
  p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
  p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
})

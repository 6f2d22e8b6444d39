import { leastSquares } from '../linear-equations.js'
import { mean, median, robustSigma } from '../statistics.js'
import type { GrowthFilter } from './growth-filter.js'

const MIN_OD = 1e-9
/** Process noise of one step of 5 s; a reading less often than every 5 s has proportionally more, one more often down to a quarter. */
const STEP_NOISE = [1e-8, 5e-8, 5e-6] as const
const STEP_NOISE_H = 5 / 3600

const logOf = (od: number): number => Math.log(Math.max(od, MIN_OD))

/** The filter before its first observation, from the readings of the warm-up.
 * @param batches normalised OD of each channel per reading; at least one reading.
 * @param intervalH nominal time between readings.
 * Source: grpredict 26.4 of Pioreactor 26.7. */
export function startFilter(batches: readonly (readonly number[])[], intervalH: number): GrowthFilter {
  const fused = batches.map(mean)
  const channels = (batches[0] ?? []).map((_, channel) => batches.map((batch) => batch[channel] ?? Number.NaN))
  const R = channels.map((values) => measurementVariance(values, intervalH))
  const noise = mean(R)
  const logLevel = logOf(median(fused.slice(-5)))
  const logSigma = Math.max(0.05, 2 * robustSigma(fused.map(logOf)), Math.sqrt(noise))
  const gain = Math.max(intervalH / STEP_NOISE_H, 0.25)
  const baseLogVariance = Math.max(2e-5, (3 * noise) / Math.max(Math.exp(2 * logLevel), MIN_OD))
  return {
    x: [logLevel, 0, 0],
    P: [
      [logSigma ** 2, 0, 0],
      [0, 0.03 ** 2, 0],
      [0, 0, 0.05 ** 2],
    ],
    Q: [gain * STEP_NOISE[0], gain * STEP_NOISE[1], gain * STEP_NOISE[2]],
    R,
    baseLogVariance,
    logVariance: baseLogVariance,
  }
}

/** Scatter of a channel around its exponential trend. */
function measurementVariance(values: readonly number[], intervalH: number): number {
  if (values.length < 2) return 1e-3
  const logs = values.map(logOf)
  const rows = logs.map((_, k) => [1, k * intervalH])
  const [level = mean(logs), slope = 0] = leastSquares(rows, logs) ?? []
  const residuals = logs.map((log, k) => log - level - slope * k * intervalH)
  return Math.max(robustSigma(residuals), 5e-3) ** 2
}

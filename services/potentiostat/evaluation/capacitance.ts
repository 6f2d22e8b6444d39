import type { ModeEvaluation } from '../../../events/potentiostat/mode-report.js'
import type { EvaluationResult, RowEvaluation, Samples } from '../acquisition/plan.js'
import { type MeasurementWarning, shareOf } from './run-warnings.js'

export interface CapacitanceInput {
  readonly vertexA: number
  readonly vertexB: number
  /** V/s, one block of two cycles each. */
  readonly scanRates: readonly number[]
}

/** Half width of the window around the middle potential, V. */
const WINDOW_V = 0.01
/** A fit that explains less is warned of. */
const LEAST_R_SQUARED = 0.95

/** Double-layer capacitance from the second cycle of each block: half the difference of the median currents of both directions in a
 * window around the middle of the sweep, fitted through the origin against the scan rate. Source: pyBEEP `cdl_evaluation`, with the
 * middle of the true vertices. Only rows in the window are kept. A scan rate with clipped rows there gives no point. */
export function capacitanceEvaluation({ vertexA, vertexB, scanRates }: CapacitanceInput): RowEvaluation {
  const middle = (vertexA + vertexB) / 2
  const halfWidth = Math.min(WINDOW_V, Math.abs(vertexB - vertexA) / 4)
  const branches = scanRates.map(() => ({ rising: [] as number[], falling: [] as number[], isClipped: false }))
  let previous: number | undefined
  return {
    add({ current, applied, cycle, saturated }: Samples): void {
      if (applied === null || cycle === null) return
      for (let i = 0; i < applied.length; i++) {
        const e = applied[i] ?? 0
        const label = cycle[i] ?? 0
        const slope = previous === undefined ? 0 : e - previous
        previous = e
        if (label % 2 !== 0 || slope === 0 || Math.abs(e - middle) > halfWidth) continue
        const branch = branches[label / 2 - 1]
        if (branch === undefined) continue
        if (saturated !== null && saturated[i] !== 0) branch.isClipped = true
        ;(slope > 0 ? branch.rising : branch.falling).push(current[i] ?? 0)
      }
    },
    result(): EvaluationResult {
      const points = branches.flatMap(({ rising, falling, isClipped }, index) => {
        const rate = scanRates[index]
        if (rate === undefined || isClipped || rising.length === 0 || falling.length === 0) return []
        return [{ scan_rate_V_per_s: rate, Icap_A: (median(rising) - median(falling)) / 2, n_cycles: 1 }]
      })
      const clipped = branches.filter(({ isClipped }) => isClipped).length
      const evaluation = points.length === 0 ? null : { kind: 'cdl' as const, points, ...fitThroughOrigin(points) }
      return { evaluation, warnings: [...clippedRates(clipped, branches.length), ...poorFit(evaluation)] }
    },
  }
}

function clippedRates(clipped: number, total: number): readonly MeasurementWarning[] {
  if (clipped === 0) return []
  const message = `The capacitive current is not computed at ${shareOf(clipped, total, 'scan rates')}, because samples there are clipped.`
  return [{ code: 'not_evaluated', message }]
}

function poorFit(evaluation: ModeEvaluation | null): readonly MeasurementWarning[] {
  const fit = evaluation?.r_squared ?? null
  if (fit === null || fit >= LEAST_R_SQUARED) return []
  const message = `R² of the capacitance is ${Number(fit.toPrecision(3))}, below ${LEAST_R_SQUARED}: the current is not proportional to the scan rate.`
  return [{ code: 'poor_fit', message }]
}

function fitThroughOrigin(points: readonly { readonly scan_rate_V_per_s: number; readonly Icap_A: number }[]): {
  readonly capacitance_f: number
  readonly r_squared: number | null
} {
  const sum = (of: (v: number, i: number) => number): number =>
    points.reduce((total, { scan_rate_V_per_s, Icap_A }) => total + of(scan_rate_V_per_s, Icap_A), 0)
  const capacitance = sum((v, i) => v * i) / sum((v) => v * v)
  const total = sum((_, i) => i * i)
  const distinct = new Set(points.map(({ scan_rate_V_per_s }) => scan_rate_V_per_s)).size
  const residual = sum((v, i) => (i - capacitance * v) ** 2)
  return { capacitance_f: capacitance, r_squared: distinct < 2 || total === 0 ? null : 1 - residual / total }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

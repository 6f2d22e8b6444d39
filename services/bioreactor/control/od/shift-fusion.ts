import type { Curve } from '../curve.js'
import type { FusionEstimator } from './fused-od.js'

/** lg of the true concentration = scale · lg of the estimated one + offset. */
export interface LogShift {
  readonly scale: number
  readonly offset: number
}

/** Two standards as they are and as an estimator saw them. */
export interface SeenStandard {
  readonly standardOd: number
  readonly estimatedOd: number
}

/** The shift that makes the estimator see both standards as they are; null when there is none that keeps their order.
 * Source: Pioreactor 26.7 `od_fusion_offset`. */
export function shiftBetween(first: SeenStandard, second: SeenStandard): LogShift | null {
  const [t1, t2] = [Math.log10(first.standardOd), Math.log10(second.standardOd)]
  const [e1, e2] = [Math.log10(first.estimatedOd), Math.log10(second.estimatedOd)]
  const scale = (t2 - t1) / (e2 - e1)
  const offset = t1 - scale * e1
  return scale > 0 && Number.isFinite(scale) && Number.isFinite(offset) ? { scale, offset } : null
}

/** The estimator with its axis of concentration shifted and stretched; what it expects of the light stays. */
export function shiftFusion<E extends FusionEstimator>(estimator: E, { scale, offset }: LogShift): E {
  const moved = (logc: number): number => scale * logc + offset
  const curve = (before: Curve): Curve =>
    before.type === 'poly'
      ? before
      : {
          type: before.type,
          knots: before.knots.map(moved),
          coefficients: before.coefficients.map((row) => row.map((c, power) => c / scale ** power)),
        }
  const curves = (before: Readonly<Record<string, Curve>>): Record<string, Curve> =>
    Object.fromEntries(Object.entries(before).map(([angle, one]) => [angle, curve(one)]))
  return {
    ...estimator,
    mu_splines: curves(estimator.mu_splines),
    sigma_splines_log: curves(estimator.sigma_splines_log),
    min_logc: moved(estimator.min_logc),
    max_logc: moved(estimator.max_logc),
  }
}

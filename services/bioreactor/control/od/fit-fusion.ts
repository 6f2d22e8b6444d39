import type { Curve } from '../curve.js'
import { evaluate } from '../curve.js'
import { interpolateAkima } from '../curve-fit/akima.js'
import { CurveNotFitted, distinct } from '../curve-fit/points.js'
import { mean, robustSigma } from '../statistics.js'
import { type FusionEstimator, lowConcentrationScales } from './fused-od.js'

/** One reading of a standard. */
export interface FusionRecord {
  readonly angle: string
  readonly concentration: number
  readonly reading: number
}

const ANGLES = ['45', '90', '135'] as const
const SIGMA_FLOOR = 0.04
const LEAST_LEVELS = 4

/** An estimator from readings of standards, several of each. Records of other angles, and those that are not positive, are left out.
 * @throws CurveNotFitted when an angle has fewer than four concentrations. Source: Pioreactor 26.7 `od_fusion_standards`. */
export function fitFusion(
  records: readonly FusionRecord[],
  angles: readonly string[] = ANGLES,
  sigma_floor: number = SIGMA_FLOOR,
): FusionEstimator {
  const usable = records.filter(
    ({ angle, concentration, reading }) => angles.includes(angle) && concentration > 0 && reading > 0,
  )
  if (usable.length === 0)
    throw new CurveNotFitted('No usable records of standards: concentrations and readings must be positive.')
  const fitted = angles.map((angle) => [angle, fitAngle(angle, usable, sigma_floor)] as const)
  const logs = usable.map(({ concentration }) => Math.log10(concentration))
  const estimator: FusionEstimator = {
    angles,
    mu_splines: Object.fromEntries(fitted.map(([angle, { mu }]) => [angle, mu])),
    sigma_splines_log: Object.fromEntries(fitted.map(([angle, { logSigma }]) => [angle, logSigma])),
    min_logc: Math.min(...logs),
    max_logc: Math.max(...logs),
    sigma_floor,
    low_conc_scales: {},
  }
  return { ...estimator, low_conc_scales: lowConcentrationScales(estimator) }
}

function fitAngle(
  angle: string,
  records: readonly FusionRecord[],
  floor: number,
): { readonly mu: Curve; readonly logSigma: Curve } {
  const own = records
    .filter((record) => record.angle === angle)
    .map(({ concentration, reading }) => ({
      level: Math.log10(concentration),
      log: Math.log(Math.max(reading, 1e-12)),
    }))
  const x = distinct(own.map(({ level }) => level))
  if (x.length < LEAST_LEVELS) {
    throw new CurveNotFitted(`Angle ${angle} has ${x.length} concentrations; at least ${LEAST_LEVELS} are needed.`)
  }
  const atLevel = x.map((level) => own.filter((record) => record.level === level).map(({ log }) => log))
  const mu = interpolateAkima({ x, y: atLevel.map(mean) })
  const sigmas = atLevel.map((logs, index) => {
    const expected = evaluate(mu, x[index] ?? 0)
    return Math.max(robustSigma(logs.map((log) => log - expected)), floor)
  })
  return { mu, logSigma: interpolateAkima({ x, y: sigmas.map(Math.log) }) }
}

/** The estimator on another scale of concentrations, by two standards: lg c becomes scale · lg c + offset.
 * Source: Pioreactor 26.7 `od_fusion_offset`. */
export function shiftFusion(
  estimator: FusionEstimator,
  { scale, offset }: { readonly scale: number; readonly offset: number },
): FusionEstimator {
  const shifted = (curves: Readonly<Record<string, Curve>>): Record<string, Curve> =>
    Object.fromEntries(Object.entries(curves).map(([angle, curve]) => [angle, shiftCurve(curve, scale, offset)]))
  return {
    ...estimator,
    mu_splines: shifted(estimator.mu_splines),
    sigma_splines_log: shifted(estimator.sigma_splines_log),
    min_logc: scale * estimator.min_logc + offset,
    max_logc: scale * estimator.max_logc + offset,
  }
}

/** Scale and offset that take what was estimated of two standards to what they are, lg both.
 * @throws CurveNotFitted when they are not two different standards in the same order. */
export function shiftBetween(
  real: readonly [number, number],
  estimated: readonly [number, number],
): { readonly scale: number; readonly offset: number } {
  const scale = (real[1] - real[0]) / (estimated[1] - estimated[0])
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw new CurveNotFitted(
      'Two standards of different OD are needed, and the denser must have been read as the denser.',
    )
  }
  return { scale, offset: real[0] - scale * estimated[0] }
}

function shiftCurve(curve: Curve, scale: number, offset: number): Curve {
  if (curve.type === 'poly') throw new CurveNotFitted('An estimator holds piecewise curves, no polynomials.')
  return {
    type: curve.type,
    knots: curve.knots.map((knot) => scale * knot + offset),
    coefficients: curve.coefficients.map((row) => row.map((value, power) => value / scale ** power)),
  }
}

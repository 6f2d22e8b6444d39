import { type Static, Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import { type ArtifactKind, readActive } from './active-artifact.js'

const EstimatorUnreadable = defineError('estimator.unreadable', 'state', 'The file of an estimator cannot be read.')

const Numbers = Type.Array(Type.Number())
const Curves = Type.Record(
  Type.String(),
  Type.Object({
    type: Type.Union([Type.Literal('akima'), Type.Literal('spline')]),
    knots: Numbers,
    coefficients: Type.Array(Numbers, { minItems: 1 }),
  }),
)

/** An estimator of OD from several angles as its YAML file holds it. Source: Pioreactor 26.7 `od_fused_estimator`. */
export const OdEstimator = Type.Object({
  estimator_type: Type.Literal('od_fused_estimator'),
  estimator_name: Type.String(),
  ir_led_intensity: Type.Number(),
  angles: Type.Array(Type.String(), { minItems: 1 }),
  mu_splines: Curves,
  sigma_splines_log: Curves,
  min_logc: Type.Number(),
  max_logc: Type.Number(),
  sigma_floor: Type.Number(),
  low_conc_scales: Type.Optional(Type.Record(Type.String(), Type.Number())),
})
export type OdEstimator = Static<typeof OdEstimator>

/** The estimator in use per device; of OD it is `od_fused`. */
export interface Estimators {
  /** Null when none is active. @throws EstimatorUnreadable when the active one cannot be used. */
  active(device: string): Promise<OdEstimator | null>
}

/** Estimators in the files of the unit. */
export const createEstimatorFiles = (dotPioreactor: string): Estimators => ({
  active: (device) => readActive(dotPioreactor, KIND, device),
})

const KIND: ArtifactKind<typeof OdEstimator> = {
  kind: 'estimators',
  schema: OdEstimator,
  problem({ angles, mu_splines, sigma_splines_log }) {
    const missing = angles.find((angle) => mu_splines[angle] === undefined || sigma_splines_log[angle] === undefined)
    return missing === undefined ? null : `angle ${missing} has no curves`
  },
  unusable: (device, name, reason) =>
    new EstimatorUnreadable(`Active estimator '${name}' of ${device} cannot be used: ${reason}`, {
      remediation: 'Choose or create another estimator for this device.',
      details: { device, estimator_name: name },
    }),
}

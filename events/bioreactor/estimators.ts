import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Timestamp } from '../core/timestamp.js'
import { AkimaCurve } from './calibrations.js'

const estimator = <T extends string, P extends TObject>(type: T, own: P) =>
  Type.Object({
    estimator_type: Type.Literal(type),
    estimator_name: Type.String(),
    calibrated_on_pioreactor_unit: Type.String(),
    created_at: Timestamp,
    ...(own.properties as P['properties']),
  })

const Curves = Type.Record(Type.String(), AkimaCurve)

const FusedFields = Type.Object({
  ir_led_intensity: Type.Number({ unit: '%' }),
  angles: Type.Array(Type.String()),
  /** ln of the signal over lg of the concentration, by angle. */
  mu_splines: Curves,
  /** ln of its scatter over lg of the concentration, by angle. */
  sigma_splines_log: Curves,
  min_logc: Type.Number(),
  max_logc: Type.Number(),
  sigma_floor: Type.Number(),
  /** Whatever its protocol found worth keeping. */
  recorded_data: Type.Record(Type.String(), Type.Unknown()),
  low_conc_scales: Type.Record(Type.String(), Type.Number(), { default: {} }),
  y: Type.String({ default: 'log(Voltage)' }),
})

const InfraredFields = Type.Object({
  w_obj: Type.Number(),
  w_amb: Type.Number(),
  w_pcb: Type.Number(),
  c: Type.Number({ unit: '°C' }),
  tau_s: Type.Number({ exclusiveMinimum: 0, unit: 's' }),
  k_vol: Type.Number({ default: 0, unit: '°C/mL' }),
  volume_ref_ml: Type.Number({ exclusiveMinimum: 0, default: 25, unit: 'mL' }),
  user_bias_c: Type.Number({ default: 0, unit: '°C' }),
  y: Type.String({ default: 'temperature_c' }),
})

/** The types of estimators that jobs use, by `estimator_type`, fields in the order of their files.
 * Source: Pioreactor 26.7 and its precision-temperature add-on 0.2. */
export const ESTIMATOR_TYPES = {
  od_fused_estimator: estimator('od_fused_estimator', FusedFields),
  fir_temperature_estimator: estimator('fir_temperature_estimator', InfraredFields),
} as const

/** An estimator as its file holds it: a model that turns readings of sensors into another quantity. */
export type Estimator = {
  [T in keyof typeof ESTIMATOR_TYPES]: Static<(typeof ESTIMATOR_TYPES)[T]>
}[keyof typeof ESTIMATOR_TYPES]
export type OdEstimator = Static<typeof ESTIMATOR_TYPES.od_fused_estimator>

import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Timestamp } from '../core/timestamp.js'

const Numbers = Type.Array(Type.Number())

export const PolyCurve = Type.Object({ type: Type.Literal('poly'), coefficients: Numbers })
const piecewise = <T extends string>(type: T) =>
  Type.Object({ type: Type.Literal(type), knots: Numbers, coefficients: Type.Array(Numbers) })
export const SplineCurve = piecewise('spline')
export const AkimaCurve = piecewise('akima')

/** What stands in `curve_data_`. */
const CurveData = Type.Union([PolyCurve, SplineCurve, AkimaCurve])

const calibration = <T extends string, P extends TObject>(type: T, x: string, y: string, own: P) =>
  Type.Object({
    calibration_type: Type.Literal(type),
    calibration_name: Type.String(),
    calibrated_on_pioreactor_unit: Type.String(),
    created_at: Timestamp,
    curve_data_: CurveData,
    x: Type.String({ default: x }),
    y: Type.String({ default: y }),
    recorded_data: Type.Object({ x: Numbers, y: Numbers }),
    ...(own.properties as P['properties']),
  })

const texts = <const T extends readonly string[]>(values: T) =>
  Type.Union(values.map((value) => Type.Literal(value as T[number])))

const OdFields = Type.Object({
  ir_led_intensity: Type.Number({ unit: '%' }),
  angle: texts(['45', '90', '135', '180']),
  pd_channel: texts(['1', '2', '3', '4']),
})

const PumpFields = Type.Object({
  hz: Type.Number({ minimum: 0, unit: 'Hz' }),
  dc: Type.Number({ minimum: 0, unit: '%' }),
  /** Of the PWM rail; −1 when it was not measured. */
  voltage: Type.Number({ unit: 'V' }),
})

const StirringFields = Type.Object({
  pwm_hz: Type.Number({ minimum: 0, unit: 'Hz' }),
  voltage: Type.Number({ unit: 'V' }),
})

/** The types of calibrations that jobs use, by `calibration_type`, fields in the order of their files. A default stands for a field that a file
 * may lack. Source: Pioreactor 26.7 calibration structures. */
export const CALIBRATION_TYPES = {
  od: calibration('od', 'OD', 'Voltage', OdFields),
  od600: calibration('od600', 'OD600', 'Voltage', OdFields),
  simple_peristaltic_pump: calibration('simple_peristaltic_pump', 'Duration', 'Volume', PumpFields),
  simple_stirring: calibration('simple_stirring', 'DC %', 'RPM', StirringFields),
} as const

/** A calibration as its file holds it: a curve y = f(x) of a device, and the points it was fitted to. */
export type Calibration = {
  [T in keyof typeof CALIBRATION_TYPES]: Static<(typeof CALIBRATION_TYPES)[T]>
}[keyof typeof CALIBRATION_TYPES]
export type OdCalibration = Extract<Calibration, { angle: string }>
export type PumpCalibration = Extract<Calibration, { hz: number }>

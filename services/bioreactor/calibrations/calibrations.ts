import { type Static, Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import { type ArtifactKind, readActive } from './active-artifact.js'

const CalibrationUnreadable = defineError('calibration.unreadable', 'state', 'A calibration file cannot be read.')
export const CalibrationUnsuitable = defineError(
  'calibration.unsuitable',
  'state',
  'The active calibration is one of another kind.',
)

const Numbers = Type.Array(Type.Number())

const CurveData = Type.Union([
  Type.Object({ type: Type.Literal('poly'), coefficients: Numbers }),
  Type.Object({
    type: Type.Union([Type.Literal('spline'), Type.Literal('akima')]),
    knots: Numbers,
    coefficients: Type.Array(Numbers),
  }),
])

/** A calibration as its YAML file holds it. Source: Pioreactor 26.7 calibration structures. */
export const Calibration = Type.Object({
  calibration_type: Type.String(),
  calibration_name: Type.String(),
  curve_data_: CurveData,
  x: Type.Optional(Type.String()),
  y: Type.Optional(Type.String()),
  recorded_data: Type.Object({ x: Numbers, y: Numbers }),
  /** OD: intensity of the IR LED, %; photodiode and angle. */
  ir_led_intensity: Type.Optional(Type.Number()),
  angle: Type.Optional(Type.String()),
  pd_channel: Type.Optional(Type.String()),
  /** Pump: frequency in Hz and duty cycle in % that its curve holds for. */
  hz: Type.Optional(Type.Number()),
  dc: Type.Optional(Type.Number()),
})
export type Calibration = Static<typeof Calibration>

/** The calibration in use per device (`od90`, `stirring`, `media_pump` …). */
export interface Calibrations {
  /** Null when none is active. @throws CalibrationUnreadable when the active one cannot be used. */
  active(device: string): Promise<Calibration | null>
}

/** The domain over which a calibration was recorded; unbounded without recorded data. */
export const domainOf = ({ recorded_data: { x } }: Calibration): readonly [number, number] =>
  x.length === 0 ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [Math.min(...x), Math.max(...x)]

/** Calibrations in the files of the unit. */
export const createCalibrationFiles = (dotPioreactor: string): Calibrations => ({
  active: (device) => readActive(dotPioreactor, KIND, device),
})

const KIND: ArtifactKind<typeof Calibration> = {
  kind: 'calibrations',
  schema: Calibration,
  problem: ({ recorded_data: { x, y } }) => (x.length === y.length ? null : 'recorded_data.x and y differ in length'),
  unusable: (device, name, reason) =>
    new CalibrationUnreadable(`Active calibration '${name}' of ${device} cannot be used: ${reason}`, {
      remediation: 'Choose or create another calibration for this device.',
      details: { device, calibration_name: name },
    }),
}

import { type Static, Type } from '@sinclair/typebox'
import { Timestamp } from '../core/timestamp.js'

const Angle = Type.Union([Type.Literal('45'), Type.Literal('90'), Type.Literal('135'), Type.Literal('180')])
const PdChannel = Type.Union([Type.Literal('1'), Type.Literal('2'), Type.Literal('3'), Type.Literal('4')])

/** Says of a value that it stands at the end of what its calibration or estimator was recorded for: the true one may lie beyond. */
const Quality = Type.Optional(Type.Literal('clamped'))

/** Raw OD of one photodiode, in volts relative to the reference; blank-corrected values may be negative. */
export const RawODReading = Type.Object(
  {
    calibrated: Type.Literal(0),
    timestamp: Timestamp,
    angle: Angle,
    od: Type.Number(),
    channel: PdChannel,
    ir_led_intensity: Type.Number(),
  },
  { title: 'RawODReading' },
)
export type RawODReading = Static<typeof RawODReading>

export const CalibratedODReading = Type.Object(
  {
    calibrated: Type.Literal(1),
    timestamp: Timestamp,
    angle: Angle,
    od: Type.Number(),
    channel: PdChannel,
    ir_led_intensity: Type.Number(),
    calibration_name: Type.String(),
    quality: Quality,
  },
  { title: 'CalibratedODReading' },
)
export type CalibratedODReading = Static<typeof CalibratedODReading>

export const ODReading = Type.Union([RawODReading, CalibratedODReading], { title: 'ODReading' })
export type ODReading = Static<typeof ODReading>

/** All signal channels of one reading. */
export const ODReadings = Type.Object(
  { timestamp: Timestamp, ods: Type.Record(Type.String(), ODReading) },
  { title: 'ODReadings' },
)
export type ODReadings = Static<typeof ODReadings>

export const ODFused = Type.Object(
  { od_fused: Type.Number(), timestamp: Timestamp, quality: Quality },
  { title: 'ODFused' },
)

/** OD relative to that of the first readings of the experiment, without noise. */
export const ODFiltered = Type.Object(
  { od_filtered: Type.Number({ minimum: 0 }), timestamp: Timestamp, quality: Quality },
  { title: 'ODFiltered' },
)

/** In h⁻¹. */
export const GrowthRate = Type.Object(
  { growth_rate: Type.Number(), timestamp: Timestamp, quality: Quality },
  { title: 'GrowthRate' },
)

export const MeasuredRPM = Type.Object(
  { measured_rpm: Type.Number({ minimum: 0 }), timestamp: Timestamp },
  { title: 'MeasuredRPM' },
)
export type MeasuredRPM = Static<typeof MeasuredRPM>

/** Temperature of the culture, ℃. */
export const Temperature = Type.Object({ timestamp: Timestamp, temperature: Type.Number() }, { title: 'Temperature' })

/** V. */
export const Voltage = Type.Object({ timestamp: Timestamp, voltage: Type.Number() }, { title: 'Voltage' })

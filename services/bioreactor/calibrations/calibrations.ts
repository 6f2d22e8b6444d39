import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { parse } from 'yaml'
import { defineError, type LabError } from '../../../events/core/errors.js'
import { check } from '../../../events/schema.js'

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

/** Calibrations below `storage/calibrations/<device>/<name>.yaml`; `storage/active_calibrations.json` names the one in use per device. */
export function createCalibrationFiles(dotPioreactor: string): Calibrations {
  const storage = join(dotPioreactor, 'storage')
  return {
    async active(device) {
      const pointers = await readIfPresent(join(storage, 'active_calibrations.json'))
      const names = pointers === null ? {} : check(Type.Record(Type.String(), Type.String()), JSON.parse(pointers))
      const name = names[device]
      if (name === undefined) return null
      const path = join(storage, 'calibrations', device, `${name}.yaml`)
      const text = await readIfPresent(path)
      if (text === null) throw unreadable(device, name, 'its file is missing')
      try {
        const found = check(Calibration, parse(text), name)
        const { x, y } = found.recorded_data
        if (x.length !== y.length) throw unreadable(device, name, 'recorded_data.x and y differ in length')
        return found
      } catch (cause) {
        throw cause instanceof CalibrationUnreadable
          ? cause
          : unreadable(device, name, cause instanceof Error ? cause.message : String(cause))
      }
    },
  }
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const unreadable = (device: string, name: string, reason: string): LabError =>
  new CalibrationUnreadable(`Active calibration '${name}' of ${device} cannot be used: ${reason}`, {
    remediation: 'Choose or create another calibration for this device.',
    details: { device, calibration_name: name },
  })

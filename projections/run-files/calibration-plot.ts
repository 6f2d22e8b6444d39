import { type Static, Type } from '@sinclair/typebox'
import type { TopLevelSpec } from 'vega-lite'
import { AkimaCurve, PolyCurve, SplineCurve } from '../../events/bioreactor/calibrations.js'
import { evaluate } from '../../primitives/curve.js'
import { CONFIG, MARK_COLOR } from './plot-spec.js'

const Numbers = Type.Array(Type.Number())

/** What is drawn of a calibration. */
export const DrawnCalibration = Type.Object({
  calibration_name: Type.String(),
  calibration_type: Type.String(),
  created_at: Type.String(),
  curve_data_: Type.Union([PolyCurve, SplineCurve, AkimaCurve]),
  x: Type.String(),
  y: Type.String(),
  recorded_data: Type.Object({ x: Numbers, y: Numbers }),
})
export type DrawnCalibration = Static<typeof DrawnCalibration>

/** Labels of calibration files, with the units that they mean. */
const AXES: Readonly<Record<string, string>> = {
  Duration: 'Duration (s)',
  Volume: 'Volume (mL)',
  Voltage: 'Voltage (V)',
  'DC %': 'Duty cycle (%)',
  RPM: 'Speed (RPM)',
}

/** More points than the eye tells apart. */
const FIT_POINTS = 200

/** The recorded points of a calibration and the curve between the first and the last of them, or between its knots. */
export function calibrationPlot(device: string, calibration: DrawnCalibration): TopLevelSpec {
  const { calibration_name, calibration_type, created_at, curve_data_: curve, recorded_data } = calibration
  const points = recorded_data.x.map((x, index) => ({ x, y: recorded_data.y[index] ?? null }))
  const span = recorded_data.x.length > 0 ? recorded_data.x : curve.type === 'poly' ? [0, 1] : curve.knots
  const [low, high] = [Math.min(...span), Math.max(...span)]
  const fit = Array.from({ length: FIT_POINTS }, (_, index) => {
    const x = low + ((high - low) * index) / (FIT_POINTS - 1)
    return { x, y: evaluate(curve, x) }
  })
  const axis = (field: 'x' | 'y', label: string) =>
    ({
      field,
      type: 'quantitative',
      title: AXES[label] ?? label,
      scale: { zero: false, nice: false, padding: 12 },
    }) as const
  const encoding = { x: axis('x', calibration.x), y: axis('y', calibration.y) } as const
  return {
    width: 700,
    height: 470,
    title: { text: calibration_name, subtitle: `${device} · ${calibration_type} · ${created_at}` },
    config: CONFIG,
    layer: [
      { data: { values: fit }, mark: { type: 'line', strokeWidth: 1.6, color: '#1f5fa8' }, encoding },
      {
        data: { values: points },
        mark: { type: 'point', filled: true, size: 50, color: MARK_COLOR, opacity: 1 },
        encoding,
      },
    ],
  }
}

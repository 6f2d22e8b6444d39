import type { PumpCalibration } from '../../events/bioreactor/calibrations.js'

/** A pump that moves so many mL per second, from the first moment on. */
export const pumpCalibration = (name: string, mlPerS: number): PumpCalibration => ({
  calibration_type: 'simple_peristaltic_pump',
  calibration_name: `${name}-1`,
  calibrated_on_pioreactor_unit: 'u1',
  created_at: '2026-01-02T03:04:05Z',
  curve_data_: { type: 'poly', coefficients: [mlPerS, 0] },
  x: 'Duration',
  y: 'Volume',
  recorded_data: { x: [1, 10], y: [mlPerS, 10 * mlPerS] },
  hz: 200,
  dc: 60,
  voltage: 12,
})

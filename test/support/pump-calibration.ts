import type { Calibration } from '../../services/bioreactor/calibrations/calibrations.js'

/** A pump that moves so many mL per second, from the first moment on. */
export const pumpCalibration = (name: string, mlPerS: number): Calibration => ({
  calibration_type: `${name}_pump`,
  calibration_name: `${name}-1`,
  curve_data_: { type: 'poly', coefficients: [mlPerS, 0] },
  x: 'Duration',
  y: 'Volume',
  recorded_data: { x: [1, 10], y: [mlPerS, 10 * mlPerS] },
  hz: 200,
  dc: 60,
})

import type { Calibration } from '../../events/bioreactor/calibrations.js'

/** 15 RPM for each %. */
export const stirringCalibration: Calibration = {
  calibration_type: 'simple_stirring',
  calibration_name: 's1',
  calibrated_on_pioreactor_unit: 'u1',
  created_at: '2026-01-02T03:04:05Z',
  curve_data_: { type: 'poly', coefficients: [15, 0] },
  x: 'DC',
  y: 'RPM',
  recorded_data: { x: [0, 100], y: [0, 1500] },
  pwm_hz: 200,
  voltage: 12,
}

/** 0.1 V for an OD of 1. */
export const odCalibration: Calibration = {
  calibration_type: 'od600',
  calibration_name: 'c1',
  calibrated_on_pioreactor_unit: 'u1',
  created_at: '2026-01-02T03:04:05Z',
  curve_data_: { type: 'poly', coefficients: [0.1, 0] },
  x: 'OD600',
  y: 'Voltage',
  recorded_data: { x: [0, 2], y: [0, 0.2] },
  ir_led_intensity: 80,
  angle: '90',
  pd_channel: '2',
}

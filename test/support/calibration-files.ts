import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A calibration as a Pioreactor writes it. */
export const OD_FILE = `calibration_type: od600
calibration_name: demo-od90
calibrated_on_pioreactor_unit: unit-a
created_at: 2026-03-04 05:06:07.891000+00:00
curve_data_:
  type: spline
  knots:
  - 0.0
  - 1.0
  coefficients:
  - - 0.01
    - 0.2
    - 0.0
    - 0.0
x: OD600
y: Voltage
recorded_data:
  x:
  - 1.0
  - 0.0
  y:
  - 0.21
  - 0.01
ir_led_intensity: 80.0
angle: '90'
pd_channel: '2'
`

export const OD_JSON = {
  calibration_type: 'od600',
  calibration_name: 'demo-od90',
  calibrated_on_pioreactor_unit: 'unit-a',
  created_at: '2026-03-04T05:06:07.891000Z',
  curve_data_: { type: 'spline', knots: [0, 1], coefficients: [[0.01, 0.2, 0, 0]] },
  x: 'OD600',
  y: 'Voltage',
  recorded_data: { x: [1, 0], y: [0.21, 0.01] },
  ir_led_intensity: 80,
  angle: '90',
  pd_channel: '2',
}

export const FUSED_FILE = `estimator_type: od_fused_estimator
estimator_name: fusion
calibrated_on_pioreactor_unit: unit-a
created_at: 2026-03-04T05:06:07Z
ir_led_intensity: 80
angles: ['45']
mu_splines:
  '45':
    type: akima
    knots: [-2.0, 0.0]
    coefficients: [[-1.8, 0.25, 0, 0]]
sigma_splines_log:
  '45':
    type: akima
    knots: [-2.0, 0.0]
    coefficients: [[-3.0, 0, 0, 0]]
min_logc: -2
max_logc: 0
sigma_floor: 0.04
recorded_data: {by_angle: {'45': {x: [1.0], y: [2.0]}}}
low_conc_scales: {'45': 1.5}
y: log(Voltage)
`

/** Puts a file where a person would. */
export function putFile(dotPioreactor: string, path: string, text: string | Uint8Array): string {
  const location = join(dotPioreactor, 'storage', path)
  mkdirSync(join(location, '..'), { recursive: true })
  writeFileSync(location, text)
  return location
}

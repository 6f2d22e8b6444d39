import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { sweep } from '../acquisition/waveform.js'
import { columns, potential, scanRate, totalDuration } from './declare.js'

/** Linear sweep voltammetry: one ramp. */
export const lsv = defineMode(
  {
    mode: 'LSV',
    control: 'potentiostatic',
    doc: 'Linear sweep voltammetry: one ramp of the potential.',
    parameters: {
      start: potential('Potential at the start.'),
      end: potential('Potential at the end.'),
      scan_rate: scanRate('Slope of the ramp.'),
    },
    rules: [
      { kind: 'not_all_equal', fields: ['start', 'end'], field: 'end', severity: 'error' },
      totalDuration('scan_rate', { kind: 'sweep', path: ['start', 'end'], rate: 'scan_rate' }),
    ],
    columns: columns('V'),
    plot: 'iv',
  },
  ({ start, end, scan_rate }): MeasurementPlan => {
    const ramp = sweep(start, end, scan_rate)
    return { control: 'potentiostatic', samples: ramp.points, segments: () => [ramp] }
  },
)

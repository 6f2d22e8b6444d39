import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../plan.js'
import { hold, pointsIn } from '../waveform.js'
import { columns, duration, potential, totalDuration } from './declare.js'

/** Chronoamperometry: one potential, current over time. */
export const ca = defineMode(
  {
    mode: 'CA',
    control: 'potentiostatic',
    doc: 'Chronoamperometry: holds a potential and records the current.',
    parameters: {
      potential: { ...potential('Potential to hold.'), aliases: ['voltage_v'] },
      duration: { ...duration('How long to hold it.'), aliases: ['duration_s'] },
    },
    rules: [totalDuration('duration', { kind: 'product', factors: ['duration'] })],
    columns: columns('V'),
    plot: 'time_series',
  },
  ({ potential, duration }): MeasurementPlan => {
    const samples = pointsIn(duration)
    return { control: 'potentiostatic', samples, segments: () => [hold(potential, samples)] }
  },
)

import { defineMode } from '../../events/define-mode.js'
import type { MeasurementPlan } from '../../services/potentiostat/acquisition/plan.js'
import { hold, pointsIn } from '../../services/potentiostat/acquisition/waveform.js'
import { columns, duration, potential, totalDuration } from '../../services/potentiostat/modes/declare.js'

/** Two potentials, one after the other, each for the same time. */
export const dpca = defineMode(
  {
    mode: 'DPCA',
    control: 'potentiostatic',
    doc: 'Double-potential chronoamperometry: one potential, then another, for the same time.',
    parameters: {
      forward: potential('First potential.'),
      back: potential('Second potential.'),
      duration: duration('How long each is held.'),
    },
    rules: [totalDuration('duration', { kind: 'product', factors: ['duration'] })],
    columns: columns('V'),
    plot: 'time_series',
  },
  ({ forward, back, duration }): MeasurementPlan => {
    const samples = pointsIn(duration)
    return {
      control: 'potentiostatic',
      samples: 2 * samples,
      segments: () => [hold(forward, samples), hold(back, samples)],
    }
  },
)

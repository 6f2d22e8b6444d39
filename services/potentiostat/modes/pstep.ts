import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, pointsIn } from '../acquisition/waveform.js'
import { columns, duration, potential, totalDuration } from './declare.js'

/** Potential steps, each held equally long. */
export const pstep = defineMode(
  {
    mode: 'PSTEP',
    control: 'potentiostatic',
    doc: 'Potential steps: holds each potential of a list.',
    parameters: {
      potentials: { ...potential('Potentials in order.'), type: 'numbers', warnItemsAbove: 1000 },
      step_duration: duration('How long to hold each of them.'),
    },
    rules: [totalDuration('step_duration', { kind: 'product', factors: ['potentials', 'step_duration'] })],
    columns: columns('V', 'step'),
    plot: 'time_series',
  },
  ({ potentials, step_duration }): MeasurementPlan => {
    const points = pointsIn(step_duration)
    return {
      control: 'potentiostatic',
      samples: points * potentials.length,
      segments: () => potentials.map((value, step) => hold(value, points, { step })),
    }
  },
)

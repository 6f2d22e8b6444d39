import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, pointsIn } from '../acquisition/waveform.js'
import {
  columns,
  current,
  duration,
  limitsOf,
  potentialLimitRule,
  potentialLimits,
  totalDuration,
  withinCurrentRange,
} from './declare.js'

/** Current steps, each held equally long. */
export const stepseq = defineMode(
  {
    mode: 'STEPSEQ',
    control: 'galvanostatic',
    doc: 'Current steps: holds each current of a list.',
    parameters: {
      currents: { ...current('Currents in order.'), type: 'numbers', warnItemsAbove: 1000 },
      step_duration: duration('How long to hold each of them.'),
      ...potentialLimits,
    },
    rules: [
      potentialLimitRule,
      withinCurrentRange('currents'),
      totalDuration('step_duration', { kind: 'product', factors: ['currents', 'step_duration'] }),
    ],
    columns: columns('A'),
    plot: 'time_series',
  },
  ({ currents, step_duration, ...limits }): MeasurementPlan => {
    const points = pointsIn(step_duration)
    return {
      control: 'galvanostatic',
      samples: points * currents.length,
      segments: () => currents.map((value) => hold(value, points)),
      ...limitsOf(limits),
    }
  },
)

import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, linearSpace, pointsIn } from '../acquisition/waveform.js'
import {
  columns,
  current,
  duration,
  limitsOf,
  numSteps,
  potentialLimitRule,
  potentialLimits,
  totalDuration,
  withinCurrentRange,
} from './declare.js'

/** Galvanostatic staircase. */
export const gs = defineMode(
  {
    mode: 'GS',
    control: 'galvanostatic',
    doc: 'Galvanostatic staircase: equally spaced currents from start to end.',
    parameters: {
      start: current('First current.'),
      end: current('Last current.'),
      num_steps: numSteps('Number of currents, both ends included.'),
      step_duration: duration('How long to hold each of them.'),
      ...potentialLimits,
    },
    rules: [
      potentialLimitRule,
      withinCurrentRange('start', 'end'),
      totalDuration('step_duration', { kind: 'product', factors: ['num_steps', 'step_duration'] }),
    ],
    columns: columns('A'),
    plot: 'time_series',
  },
  ({ start, end, num_steps, step_duration, ...limits }): MeasurementPlan => {
    const points = pointsIn(step_duration)
    return {
      control: 'galvanostatic',
      samples: points * num_steps,
      segments: () => linearSpace(start, end, num_steps).map((value) => hold(value, points)),
      ...limitsOf(limits),
    }
  },
)

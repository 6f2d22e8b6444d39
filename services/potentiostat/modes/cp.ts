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

/** Chronopotentiometry: one current, potential over time. */
export const cp = defineMode(
  {
    mode: 'CP',
    control: 'galvanostatic',
    doc: 'Chronopotentiometry: holds a current and records the potential.',
    parameters: {
      current: current('Current to hold; 0 is allowed.'),
      duration: duration('How long to hold it.'),
      ...potentialLimits,
    },
    rules: [
      potentialLimitRule,
      withinCurrentRange('current'),
      totalDuration('duration', { kind: 'product', factors: ['duration'] }),
    ],
    columns: columns('A'),
    plot: 'time_series',
  },
  ({ current, duration, ...limits }): MeasurementPlan => {
    const samples = pointsIn(duration)
    return { control: 'galvanostatic', samples, segments: () => [hold(current, samples)], ...limitsOf(limits) }
  },
)

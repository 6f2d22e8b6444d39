import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, linearSpace, pointsIn, type Segment } from '../acquisition/waveform.js'
import {
  columns,
  current,
  cycles,
  duration,
  limitsOf,
  numSteps,
  potentialLimitRule,
  potentialLimits,
  totalDuration,
  withinCurrentRange,
} from './declare.js'

/** Galvanostatic cycling: staircases start → vertex 1 → vertex 2 → start per cycle, then to the end if that is not the start, labelled as
 * a cycle of its own. Source: pyBEEP `galvanostatic_cyclic`. */
export const gcv = defineMode(
  {
    mode: 'GCV',
    control: 'galvanostatic',
    doc: 'Galvanostatic cycling: staircases of current between two vertices.',
    parameters: {
      start: current('Current at the start of each cycle.'),
      vertex1: current('First vertex.'),
      vertex2: current('Second vertex.'),
      end: current('Current at the end; the start when absent.'),
      num_steps: numSteps('Currents per staircase, both ends included.'),
      step_duration: duration('How long to hold each of them.'),
      cycles: cycles('How many cycles.'),
      ...potentialLimits,
    },
    rules: [
      potentialLimitRule,
      { kind: 'default_from', field: 'end', from: 'start' },
      withinCurrentRange('start', 'vertex1', 'vertex2', 'end'),
      totalDuration('step_duration', { kind: 'product', factors: [3, 'num_steps', 'step_duration', 'cycles'] }),
    ],
    columns: columns('A', 'cycle'),
    plot: 'time_series',
  },
  ({ start, vertex1, vertex2, end, num_steps, step_duration, cycles, ...limits }): MeasurementPlan => {
    const points = pointsIn(step_duration)
    const ramps = [
      [start, vertex1],
      [vertex1, vertex2],
      [vertex2, start],
    ] as const
    function* segments(): Generator<Segment> {
      for (let cycle = 1; cycle <= cycles; cycle++) {
        for (const [from, to] of ramps) {
          for (const value of linearSpace(from, to, num_steps)) yield hold(value, points, { cycle })
        }
      }
      if (end === start) return
      for (const value of linearSpace(start, end, num_steps)) yield hold(value, points, { cycle: cycles + 1 })
    }
    return {
      control: 'galvanostatic',
      samples: points * num_steps * (3 * cycles + (end === start ? 0 : 1)),
      segments,
      ...limitsOf(limits),
    }
  },
)

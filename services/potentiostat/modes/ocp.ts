import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { pointsIn } from '../acquisition/waveform.js'
import { columns, duration, totalDuration } from './declare.js'

/** Open-circuit potential: the cell switch stays open. */
export const ocp = defineMode(
  {
    mode: 'OCP',
    control: 'open_circuit',
    doc: 'Open-circuit potential: records the potential with the cell disconnected.',
    parameters: { duration: duration('How long to record.') },
    rules: [totalDuration('duration', { kind: 'product', factors: ['duration'] })],
    columns: columns(null),
    plot: 'time_series',
  },
  ({ duration }): MeasurementPlan => ({ control: 'open_circuit', samples: pointsIn(duration) }),
)

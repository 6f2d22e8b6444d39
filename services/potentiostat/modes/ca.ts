import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../plan.js'
import { NOMINAL_PERIOD_S } from '../registers.js'
import { hold, pointsIn, type Segment } from '../waveform.js'
import { columns, duration, potential, totalDuration } from './declare.js'

/** Two samples per period. */
const MAX_HZ = 1388

/** Chronoamperometry: one potential, current over time. SEVA orders its alternating electrolysis as this mode, with a frequency. */
export const ca = defineMode(
  {
    mode: 'CA',
    control: 'potentiostatic',
    doc: 'Chronoamperometry: holds a potential, or alternates between it and its negative, and records the current.',
    parameters: {
      potential: { ...potential('Potential to hold.'), aliases: ['voltage_v'] },
      duration: { ...duration('How long to hold it.'), aliases: ['duration_s'] },
      frequency: {
        type: 'number',
        unit: 'Hz',
        doc: 'Periods per second of alternating between the potential and its negative; 0 holds it.',
        aliases: ['frequency_hz'],
        default: 0,
        min: 0,
        max: MAX_HZ,
        warn: [{ code: 'high_value', above: 8.9, text: 'the current filter (18 ms) averages over the half-periods.' }],
      },
      control_mode: {
        type: 'choice',
        doc: 'What is controlled; for currents there are CP and STEPSEQ.',
        choices: ['potential'],
        default: 'potential',
      },
    },
    rules: [
      { kind: 'unsupported', field: 'charge_cutoff_c', text: 'the measurement ends by its duration alone.' },
      { kind: 'unsupported', field: 'voltage_cutoff_v', text: 'the measurement ends by its duration alone.' },
      totalDuration('duration', { kind: 'product', factors: ['duration'] }),
    ],
    columns: columns('V'),
    plot: 'time_series',
  },
  ({ potential, duration, frequency }): MeasurementPlan => {
    const samples = pointsIn(duration)
    const segments = () => (frequency === 0 ? [hold(potential, samples)] : alternating(potential, frequency, samples))
    return { control: 'potentiostatic', samples, segments }
  },
)

/** A square wave that begins with the potential itself; half-periods begin at the samples nearest to their times, so they do not drift. */
function* alternating(potential: number, hz: number, samples: number): Generator<Segment> {
  const halfPeriod = 1 / (2 * hz * NOMINAL_PERIOD_S)
  for (let half = 0, from = 0; from < samples; half++) {
    const end = Math.min(samples, Math.round((half + 1) * halfPeriod))
    yield hold(half % 2 === 0 ? potential : -potential, end - from)
    from = end
  }
}

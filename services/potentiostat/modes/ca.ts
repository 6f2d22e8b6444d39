import { defineMode } from '../../../events/define-mode.js'
import type { MeasurementPlan } from '../acquisition/plan.js'
import { hold, pointsIn, type Segment } from '../acquisition/waveform.js'
import { NOMINAL_PERIOD_S } from '../device/registers.js'
import {
  columns,
  duration,
  potential,
  totalDuration,
  voltageCutoff,
  withinCurrentRange,
  withinCurrentRangeMa,
} from './declare.js'

/** Two samples per period. */
const MAX_HZ = 1388
const AMPERE_PER_MA = 1e-3
const byCurrent = { field: 'control_mode', is: 'current' } as const
const byPotential = { field: 'control_mode', is: 'potential' } as const

/** Chronoamperometry: one potential, current over time. SEVA orders its electrolysis as this mode too: alternating, by potential or by
 * current, until a time, a charge or a potential is reached. */
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
        doc: 'Periods per second of alternating between the value and its negative; 0 holds it.',
        aliases: ['frequency_hz'],
        default: 0,
        min: 0,
        max: MAX_HZ,
        warn: [{ code: 'high_value', above: 8.9, text: 'the current filter (18 ms) averages over the half-periods.' }],
      },
      control_mode: {
        type: 'choice',
        doc: 'What is held: the potential, or current_ma in its place.',
        choices: ['potential', 'current'],
        // As SEVA's form spells them.
        spellings: { 'potential (v)': 'potential', 'current (ma)': 'current' },
        default: 'potential',
      },
      current_ma: {
        type: 'number',
        unit: 'mA',
        doc: 'Current to hold when control_mode is current.',
        default: 0,
        ...withinCurrentRangeMa,
      },
      charge_cutoff: {
        type: 'number',
        unit: 'C',
        doc: 'Ends the measurement once so much charge has passed; 0 is no limit.',
        aliases: ['charge_cutoff_c'],
        default: 0,
        min: 0,
      },
      voltage_cutoff: voltageCutoff,
    },
    rules: [
      { kind: 'required_when', field: 'potential', when: byPotential },
      { kind: 'required_when', field: 'current_ma', when: byCurrent },
      { ...withinCurrentRange('current_ma'), amperePerUnit: AMPERE_PER_MA, when: byCurrent },
      totalDuration('duration', { kind: 'product', factors: ['duration'] }),
    ],
    columns: columns('V'),
    plot: 'time_series',
  },
  ({ potential, duration, frequency, control_mode, current_ma, charge_cutoff, voltage_cutoff }): MeasurementPlan => {
    const samples = pointsIn(duration)
    const isCurrent = control_mode === 'current'
    const value = isCurrent ? current_ma * AMPERE_PER_MA : potential
    return {
      control: isCurrent ? 'galvanostatic' : 'potentiostatic',
      samples,
      segments: () => (frequency === 0 ? [hold(value, samples)] : alternating(value, frequency, samples)),
      ...(charge_cutoff > 0 || voltage_cutoff > 0
        ? { cutOff: { chargeC: charge_cutoff || null, potentialV: voltage_cutoff || null } }
        : {}),
      ...(isCurrent ? { columns: columns('A') } : {}),
    }
  },
)

/** A square wave that begins with the value itself; half-periods begin at the samples nearest to their times, so they do not drift. */
function* alternating(value: number, hz: number, samples: number): Generator<Segment> {
  const halfPeriod = 1 / (2 * hz * NOMINAL_PERIOD_S)
  for (let half = 0, from = 0; from < samples; half++) {
    const end = Math.min(samples, Math.round((half + 1) * halfPeriod))
    yield hold(half % 2 === 0 ? value : -value, end - from)
    from = end
  }
}

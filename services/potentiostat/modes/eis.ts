import { defineMode, type ParameterSpec } from '../../../events/define-mode.js'
import type { FrequencyPoint, MeasurementPlan } from '../acquisition/plan.js'
import { NOMINAL_PERIOD_S } from '../device/registers.js'
import { impedanceColumns, withinPotentialRange } from './declare.js'

/** RT/F at 25 °C, the potential at which the exponentials of an electrode reaction bend, is 25.7 mV. */
const MOST_SMALL_V = 0.025

/** Half the sample rate. */
const MAX_HZ = 1388

const frequency = (doc: string) =>
  ({
    type: 'number',
    unit: 'Hz',
    doc,
    positive: true,
    min: 0.001,
    max: MAX_HZ,
    warn: [
      { code: 'high_value', above: 250, text: 'fewer than 11 samples per period; expect several percent of error.' },
    ],
  }) as const satisfies ParameterSpec

/** Start-up transients of the filter (τ = 1.8 ms) fade within this time, those of diffusion within two periods: at 1 Hz and the cell of
 * 5 mM ferricyanide one period leaves an error of 2 %. */
const SETTLE_S = 0.1
const SETTLE_PERIODS = 2
/** Shorter measurements take more periods, against noise. */
const MIN_MEASURE_S = 0.2

/** Frequencies from start to end: n = max(round(decades · density) + 1, 2) points, or one when both are equal. */
export function frequencyGrid(start: number, end: number, pointsPerDecade: number, spacing: string): readonly number[] {
  if (start === end) return [start]
  const [from, to] = [Math.log10(start), Math.log10(end)]
  const n = Math.max(Math.round(Math.abs(to - from) * pointsPerDecade) + 1, 2)
  return Array.from({ length: n }, (_, i) =>
    i === n - 1
      ? end
      : spacing === 'lin'
        ? start + (i * (end - start)) / (n - 1)
        : 10 ** (from + (i * (to - from)) / (n - 1)),
  )
}

/** Samples for one frequency: whole periods in a whole number of samples, so the true frequency differs slightly from the one asked. */
export function frequencyPoint(hz: number, cyclesAsked: number): FrequencyPoint {
  const cycles = Math.max(cyclesAsked, Math.ceil(MIN_MEASURE_S * hz))
  return {
    cycles,
    points: Math.max(Math.round(cycles / (hz * NOMINAL_PERIOD_S)), 2 * cycles + 1),
    settle: Math.round(Math.max(SETTLE_S, SETTLE_PERIODS / hz) / NOMINAL_PERIOD_S),
  }
}

/** Electrochemical impedance spectroscopy by single sines in the potentiostatic path. */
export const eis = defineMode(
  {
    mode: 'EIS',
    control: 'impedance',
    doc: 'Electrochemical impedance spectroscopy: one sine after the other, one row per frequency.',
    parameters: {
      start_freq: { ...frequency('First frequency.'), aliases: ['freq_start_hz'] },
      end_freq: { ...frequency('Last frequency.'), aliases: ['freq_end_hz'] },
      points_per_decade: { type: 'integer', doc: 'Density of the grid.', positive: true, max: 50 },
      cycles_per_freq: {
        type: 'integer',
        doc: 'Periods evaluated per frequency; more are taken where they last less than 0.2 s.',
        default: 3,
        positive: true,
        max: 100,
      },
      spacing: { type: 'choice', doc: 'Spacing of the frequencies.', default: 'log', choices: ['log', 'lin'] },
      amplitude: {
        type: 'number',
        unit: 'V',
        doc: 'Amplitude of the sine.',
        default: 0.01,
        min: 0.001,
        max: 0.5,
        warn: [
          { code: 'below_resolution', below: 0.005, text: 'the DAC has steps of 2.42 mV.' },
          {
            code: 'not_small_signal',
            above: MOST_SMALL_V,
            text: 'the response of an electrode is not linear any more, so that its impedance depends on the amplitude.',
          },
        ],
      },
      dc_potential: {
        type: 'number',
        unit: 'V',
        doc: "Potential the sine swings around, or 'ocp' for the open-circuit potential measured just before.",
        default: 0,
        ...withinPotentialRange,
        choices: ['ocp'],
      },
    },
    rules: [
      {
        kind: 'density_from_points',
        field: 'points_per_decade',
        points: 'points',
        start: 'start_freq',
        end: 'end_freq',
      },
    ],
    columns: impedanceColumns,
    plot: 'impedance',
  },
  ({ start_freq, end_freq, points_per_decade, cycles_per_freq, spacing, amplitude, dc_potential }): MeasurementPlan => {
    const grid = frequencyGrid(start_freq, end_freq, points_per_decade, spacing)
    const frequencies = grid.map((hz) => frequencyPoint(hz, cycles_per_freq))
    return {
      control: 'impedance',
      samples: frequencies.reduce((sum, { points, settle }) => sum + points + settle, 0),
      amplitudeV: amplitude,
      dcPotential: dc_potential,
      frequencies,
    }
  },
)

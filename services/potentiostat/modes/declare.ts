import type { DurationFormula, ModeRule, ParameterSpec, ParameterWarning } from '../../../events/define-mode.js'
import type { RunColumn } from '../../../events/potentiostat/run-order.js'
import type { CutOffLimits } from '../acquisition/plan.js'
import { ADC_STEP_V, fullScaleCurrentA, NOMINAL_PERIOD_S, POTENTIAL_LIMIT_V, tiaOhms } from '../device/registers.js'

/** The vocabulary that the mode files share: parameters with their limits, and columns. */

const threeDigits = (value: number): number => Number(value.toPrecision(3))

const SECONDS_PER_DAY = 86_400
const WARN_DURATION_S = SECONDS_PER_DAY
/** Longest measurement that is accepted. */
export const MAX_DURATION_S = 7 * SECONDS_PER_DAY

/** Where a potential can be held, V. */
export const withinPotentialRange = { min: -POTENTIAL_LIMIT_V, max: POTENTIAL_LIMIT_V } as const

/** Largest current that any resistance of the amplifier can measure, mA. */
const MAX_CURRENT_MA = threeDigits(1e3 * fullScaleCurrentA(Math.min(...tiaOhms)))
export const withinCurrentRangeMa = { min: -MAX_CURRENT_MA, max: MAX_CURRENT_MA } as const

/** A potential in V. The firmware clamps set values to the range of the DAC. */
export const potential = (doc: string) =>
  ({
    type: 'number',
    unit: 'V',
    doc,
    min: -10,
    max: 10,
    warn: [{ code: 'clamped', above: POTENTIAL_LIMIT_V, text: 'the device holds its limit instead.' }],
  }) as const satisfies ParameterSpec

export const current = (doc: string) =>
  ({
    type: 'number',
    unit: 'A',
    doc,
    min: -MAX_CURRENT_MA / 1e3,
    max: MAX_CURRENT_MA / 1e3,
  }) as const satisfies ParameterSpec

const limit = (doc: string) =>
  ({ type: 'number', unit: 'V', doc, default: null, ...withinPotentialRange }) as const satisfies ParameterSpec

/** |potential| that ends a measurement; 0 is no limit. The device reaches no further than its limit, so a higher one would never act. */
export const voltageCutoff = {
  type: 'number',
  unit: 'V',
  doc: 'Ends the measurement once |potential| is so high; 0 is no limit.',
  aliases: ['voltage_cutoff_v'],
  default: 0,
  min: 0,
  max: POTENTIAL_LIMIT_V,
} as const satisfies ParameterSpec

/** Potentials between which current control stays. */
export const potentialLimits = {
  potential_min: limit('Ends the measurement at once when the potential is so low.'),
  potential_max: limit('Ends the measurement at once when the potential is so high.'),
  voltage_cutoff: voltageCutoff,
} as const

export const potentialLimitRule: ModeRule = { kind: 'ascending', low: 'potential_min', high: 'potential_max' }

/** Limits of a plan; none when nothing limits it. */
export function limitsOf(limits: {
  readonly potential_min: number | null
  readonly potential_max: number | null
  readonly voltage_cutoff: number
}): { readonly cutOff?: CutOffLimits } {
  const { potential_min, potential_max, voltage_cutoff } = limits
  if (potential_min === null && potential_max === null && voltage_cutoff === 0) return {}
  return { cutOff: { minV: potential_min, maxV: potential_max, potentialV: voltage_cutoff || null } }
}

const scanRateWarnings = [
  { code: 'high_value', above: 5, text: 'the current filter (18 ms) distorts such a sweep.' },
  {
    code: 'below_resolution',
    below: 0.000242,
    text: 'the potential rests more than 10 s on each DAC step of 2.42 mV.',
  },
] as const satisfies readonly ParameterWarning[]

export const scanRate = (doc: string) =>
  ({ type: 'number', unit: 'V/s', doc, positive: true, warn: scanRateWarnings }) as const satisfies ParameterSpec

export const scanRates = (doc: string) =>
  ({ ...scanRate(doc), type: 'numbers', warnItemsAbove: 1000 }) as const satisfies ParameterSpec

export const duration = (doc: string) =>
  ({
    type: 'number',
    unit: 's',
    doc,
    positive: true,
    min: NOMINAL_PERIOD_S,
    warn: [{ code: 'below_resolution', below: 0.02, text: 'shorter than the filter of the current takes to settle.' }],
  }) as const satisfies ParameterSpec

export const cycles = (doc: string) =>
  ({
    type: 'integer',
    doc,
    positive: true,
    warn: [{ code: 'high_value', above: 50, text: 'check that so many are meant.' }],
  }) as const satisfies ParameterSpec

export const numSteps = (doc: string) =>
  ({
    type: 'integer',
    doc,
    positive: true,
    warn: [{ code: 'high_value', above: 10_000, text: 'check that so many are meant.' }],
  }) as const satisfies ParameterSpec

export const totalDuration = (field: string, formula: DurationFormula): ModeRule => ({
  kind: 'total_duration',
  field,
  formula,
  warnAboveS: WARN_DURATION_S,
  maxS: MAX_DURATION_S,
})

export const withinCurrentRange = (...fields: readonly string[]): ModeRule & { kind: 'within_current_range' } => ({
  kind: 'within_current_range',
  fields,
  fullScaleA: tiaOhms.map((ohm) => threeDigits(fullScaleCurrentA(ohm))),
  stepA: tiaOhms.map((ohm) => threeDigits(ADC_STEP_V / ohm)),
})

const time: RunColumn = { header: 'Time (s)', field: 'time' }
const measured: readonly RunColumn[] = [
  { header: 'Potential (V)', field: 'potential' },
  { header: 'Current (A)', field: 'current' },
]
const exp: RunColumn = { header: 'Exp', field: 'exp' }
const labels = {
  cycle: { header: 'Cycle', field: 'cycle' },
  step: { header: 'Step', field: 'step' },
} as const satisfies Record<string, RunColumn>

/** What the readings of a row are worth; behind pyBEEP's columns, whose places stay. */
const saturated: RunColumn = { header: 'Saturated', field: 'saturated' }
const offTarget: RunColumn = { header: 'Off set point', field: 'off_target' }

/** Columns of a CSV in pyBEEP's order: time, measured values, label, Exp, applied value; then ours. */
export const columns = (applied: 'V' | 'A' | null, label?: 'cycle' | 'step'): readonly RunColumn[] => [
  time,
  ...measured,
  ...(label === undefined ? [] : [labels[label]]),
  exp,
  ...(applied === null
    ? []
    : [{ header: applied === 'V' ? 'Applied potential (V)' : 'Applied current (A)', field: 'applied' } as const]),
  saturated,
  ...(applied === 'A' ? [offTarget] : []),
]

/** Columns of an impedance spectrum; headers as the SEVA plotter maps them. */
export const impedanceColumns: readonly RunColumn[] = [
  time,
  ...measured,
  exp,
  { header: 'Frequency (Hz)', field: 'frequency' },
  { header: 'Z Real', field: 'z_real' },
  { header: 'Z Imaginary', field: 'z_imag' },
  { header: 'Z Magnitude', field: 'z_abs' },
  { header: 'Phase (deg)', field: 'phase' },
  saturated,
]

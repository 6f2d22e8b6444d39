import type { ModeDefinition } from '../../../events/define-mode.js'
import type { ModeEvaluation } from '../../../events/potentiostat/mode-report.js'
import type { RunColumn } from '../../../events/potentiostat/run-order.js'
import { NOMINAL_PERIOD_S } from '../device/registers.js'
import type { MeasurementWarning } from '../evaluation/run-warnings.js'
import type { Segment } from './waveform.js'

/** What the driver needs to execute a mode. `samples` is the exact number of raw samples. */
export type MeasurementPlan = (PotentiostaticPlan | GalvanostaticPlan | OpenCircuitPlan | ImpedancePlan) & PlanOptions

interface PlanOptions {
  readonly cutOff?: CutOffLimits
  /** Columns of the file where they are not those that the mode declares. */
  readonly columns?: readonly RunColumn[]
}

/** What ends a measurement before its time; absent and null are no limit. */
export interface CutOffLimits {
  /** |charge| passed since the start, C. */
  readonly chargeC?: number | null
  /** |potential|, V. */
  readonly potentialV?: number | null
  /** Lowest and highest potential, V. */
  readonly minV?: number | null
  readonly maxV?: number | null
}

export interface PotentiostaticPlan {
  readonly control: 'potentiostatic'
  readonly samples: number
  /** Potentials in V, generated lazily; the points add up to `samples`. */
  segments(): Iterable<Segment>
  /** A result computed from the rows as they come. */
  evaluate?(): RowEvaluation
}

export interface GalvanostaticPlan {
  readonly control: 'galvanostatic'
  readonly samples: number
  /** Constant currents in A, one segment per step. */
  segments(): Iterable<Segment>
}

export interface OpenCircuitPlan {
  readonly control: 'open_circuit'
  readonly samples: number
}

export interface ImpedancePlan {
  readonly control: 'impedance'
  /** Settling samples included. */
  readonly samples: number
  readonly amplitudeV: number
  /** V, or the open-circuit potential measured just before. */
  readonly dcPotential: number | 'ocp'
  readonly frequencies: readonly FrequencyPoint[]
}

/** One frequency: `settle` samples are applied and ignored, then `points` samples hold exactly `cycles` periods. */
export interface FrequencyPoint {
  readonly cycles: number
  readonly points: number
  readonly settle: number
}

/** Samples as the device delivered them, before averaging. */
export interface Samples {
  /** Index of the first of them within the mode. */
  readonly first: number
  /** A */
  readonly current: Float32Array
  /** V */
  readonly potential: Float32Array
  readonly applied: Float32Array | null
  readonly cycle: Float64Array | null
  readonly step: Float64Array | null
  /** `Saturated` bits; null when no row is clipped. */
  readonly saturated: Uint8Array | null
  /** 1 where the current is not the one asked for; null when it always is. */
  readonly offTarget: Uint8Array | null
}

export interface RowEvaluation {
  add(rows: Samples): void
  result(): EvaluationResult
}

export interface EvaluationResult {
  /** Null when nothing could be evaluated. */
  readonly evaluation: ModeEvaluation | null
  readonly warnings: readonly MeasurementWarning[]
}

export type MeasurementMode = ModeDefinition<MeasurementPlan>

/** Time outside the samples: drain, gain, pre-fill and tear-down. */
const SETUP_S = 0.1

/** Seconds a plan takes, from its exact sample count. */
export const plannedSeconds = (plan: MeasurementPlan): number => plan.samples * NOMINAL_PERIOD_S + SETUP_S

/** Rows the mode yields when `average` samples become one row. Impedance yields one row per frequency. */
export const rowsOf = (plan: MeasurementPlan, average: number): number =>
  plan.control === 'impedance' ? plan.frequencies.length : Math.ceil(plan.samples / average)

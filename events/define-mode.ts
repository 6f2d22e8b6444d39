import type { RunColumn } from './potentiostat/run-order.js'

/** A measurement mode is declared once, as data that travels in the unit's capabilities: the services check an order with it,
 * the gateway answers `/modes` and `validate` from it. */

export type ParameterType = 'number' | 'integer' | 'numbers' | 'choice'

/** One parameter. Limits are errors, `warn` limits are warnings; both quote the unit. */
export interface ParameterSpec {
  readonly type: ParameterType
  readonly unit?: string
  readonly doc: string
  /** Default of an optional parameter; without it the parameter is required unless a rule supplies it. */
  readonly default?: number | string | null
  readonly aliases?: readonly string[]
  /** Inclusive limits → `min_value`, `max_value`. */
  readonly min?: number
  readonly max?: number
  /** Must be > 0 → `must_be_positive`. */
  readonly positive?: boolean
  /** Texts of a `choice`; for a `number`, texts that stand in place of a value. Compared without case. */
  readonly choices?: readonly string[]
  /** Other spellings of a choice, in lower case, and the choice they mean. */
  readonly spellings?: Readonly<Record<string, string>>
  readonly warn?: readonly ParameterWarning[]
  /** A longer list is a warning. */
  readonly warnItemsAbove?: number
}

export interface ParameterWarning {
  readonly code: 'high_value' | 'below_resolution' | 'clamped' | 'not_small_signal'
  /** Warn when |value| is above, or below, the limit. */
  readonly above?: number
  readonly below?: number
  readonly text: string
}

/** Seconds a measurement takes, computed from its parameters. */
export type DurationFormula =
  /** Product of values; of a list its length counts. */
  | { readonly kind: 'product'; readonly factors: readonly (string | number)[] }
  /** Length of the path through the named potentials, `between` two of them once more there and back for every cycle after the first,
   * divided by the rate; summed when there are several rates. */
  | {
      readonly kind: 'sweep'
      readonly path: readonly string[]
      readonly rate: string
      readonly between?: readonly [string, string]
      readonly cycles?: string
    }

export interface FieldCondition {
  readonly field: string
  readonly is: string
}

/** Rules over several fields, evaluated in order after the fields themselves are valid. */
export type ModeRule =
  /** `zero_sweep` on `field` when all the named values are equal. */
  | {
      readonly kind: 'not_all_equal'
      readonly fields: readonly string[]
      readonly field: string
      readonly severity: 'error' | 'warning'
      readonly whenAbove?: { readonly field: string; readonly limit: number }
    }
  /** A field that is required when another has a value, and needs none otherwise. */
  | { readonly kind: 'required_when'; readonly field: string; readonly when: FieldCondition }
  /** `max_value` on `low` when two limits leave nothing between them; null is no limit. */
  | { readonly kind: 'ascending'; readonly low: string; readonly high: string }
  /** Warning when a list has fewer distinct values. */
  | { readonly kind: 'distinct_values'; readonly field: string; readonly atLeast: number; readonly text: string }
  /** An absent field takes the value of another. */
  | { readonly kind: 'default_from'; readonly field: string; readonly from: string }
  /** An absent density of a frequency grid follows from a total number of points given in its place. */
  | {
      readonly kind: 'density_from_points'
      readonly field: string
      readonly points: string
      readonly start: string
      readonly end: string
    }
  /** Currents against the ranges of the transimpedance amplifier, indexed by gain: beyond the order's range → `exceeds_range`,
   * below its step → `below_resolution`. */
  | {
      readonly kind: 'within_current_range'
      readonly fields: readonly string[]
      readonly fullScaleA: readonly number[]
      readonly stepA: readonly number[]
      /** 1 unless the fields are in another unit. */
      readonly amperePerUnit?: number
      readonly when?: FieldCondition
    }
  /** `too_long` on `field`: a warning above `warnAboveS`, an error above `maxS`. */
  | {
      readonly kind: 'total_duration'
      readonly field: string
      readonly formula: DurationFormula
      readonly warnAboveS: number
      readonly maxS: number
    }

/** Which loop of the driver runs the mode. */
export type ModeControl = 'potentiostatic' | 'galvanostatic' | 'open_circuit' | 'impedance'

export interface ModeDeclaration {
  readonly mode: string
  readonly control: ModeControl
  readonly doc: string
  readonly parameters: Readonly<Record<string, ParameterSpec>>
  readonly rules: readonly ModeRule[]
  readonly columns: readonly RunColumn[]
  readonly plot: 'iv' | 'iv_cycles' | 'time_series' | 'impedance'
}

/** Modes are announced on `system/<unit>/capabilities/modes/<MODE>`. */
export interface AnnouncedMode extends ModeDeclaration {
  /** Place in the list of modes, from 0. */
  readonly rank: number
}

/** An issue in the box API's own form. */
export interface ParameterIssue {
  readonly field: string
  readonly code: string
  readonly message: string
}

export type ParameterValue = number | string | readonly number[] | null
export type ParameterValues = Readonly<Record<string, ParameterValue>>

export interface ValidatedParameters {
  readonly ok: boolean
  readonly errors: readonly ParameterIssue[]
  readonly warnings: readonly ParameterIssue[]
  /** Normalised values: numbers coerced from text, aliases resolved, defaults filled in. Complete only when `ok`. */
  readonly params: ParameterValues
  readonly adjustments: readonly ParameterAdjustment[]
}

export interface ParameterAdjustment {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
  readonly reason: string
}

type ValueOf<S extends ParameterSpec> = S['type'] extends 'numbers'
  ? readonly number[]
  : S['type'] extends 'choice'
    ? string
    : S['choices'] extends readonly string[]
      ? number | S['choices'][number]
      : S['default'] extends null
        ? number | null
        : number

/** Value types of declared parameters. */
export type ParametersOf<P extends Readonly<Record<string, ParameterSpec>>> = { readonly [K in keyof P]: ValueOf<P[K]> }

/** A mode: its declaration, and how validated parameters become a plan the driver can execute. */
export interface ModeDefinition<Plan> {
  readonly declaration: ModeDeclaration
  /** @param params the `params` of a validation that was `ok`. */
  plan(params: ParameterValues): Plan
}

/** Declares a mode. */
export function defineMode<const P extends Readonly<Record<string, ParameterSpec>>, Plan>(
  declaration: ModeDeclaration & { readonly parameters: P },
  plan: (params: ParametersOf<P>) => Plan,
): ModeDefinition<Plan> {
  return Object.freeze({
    declaration,
    plan: (params: ParameterValues) => plan(params as ParametersOf<P>),
  })
}

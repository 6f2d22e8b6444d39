import type { RunColumn } from './payloads.js'

/** A measurement mode is declared once, as data that travels in the unit's capabilities: the services check an order with it,
 * the gateway answers `/modes` and `validate` from it. */

export type ParameterType = 'number' | 'integer' | 'numbers' | 'choice'

/** One parameter. Limits are errors, `warn` limits are warnings; both quote the unit. */
export interface ParameterSpec {
  readonly type: ParameterType
  readonly unit?: string
  readonly doc: string
  /** Default of an optional parameter; without it the parameter is required. */
  readonly default?: number | string | null
  readonly aliases?: readonly string[]
  /** Inclusive limits → `min_value`, `max_value`. */
  readonly min?: number
  readonly max?: number
  /** Must be > 0 → `must_be_positive`. */
  readonly positive?: boolean
  readonly choices?: readonly string[]
  readonly warn?: readonly ParameterWarning[]
}

export interface ParameterWarning {
  readonly code: 'high_value' | 'below_resolution' | 'clamped'
  /** Warn when |value| is above, or below, the limit. */
  readonly above?: number
  readonly below?: number
  readonly text: string
}

/** Rules over several fields, evaluated after the fields themselves are valid. */
export type ModeRule =
  /** `zero_sweep` on `field` when all the named values are equal. */
  | {
      readonly kind: 'not_all_equal'
      readonly fields: readonly string[]
      readonly field: string
      readonly severity: 'error' | 'warning'
      readonly whenAbove?: { readonly field: string; readonly limit: number }
    }
  /** Warning when a list has fewer distinct values. */
  | { readonly kind: 'distinct_values'; readonly field: string; readonly atLeast: number; readonly text: string }
  /** An absent field takes the value of another. */
  | { readonly kind: 'default_from'; readonly field: string; readonly from: string }

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

/** An issue in the box API's own form. */
export interface ParameterIssue {
  readonly field: string
  readonly code: string
  readonly message: string
}

export interface ValidatedParameters {
  readonly ok: boolean
  readonly errors: readonly ParameterIssue[]
  readonly warnings: readonly ParameterIssue[]
  /** Normalised values: numbers coerced from text, aliases resolved, defaults filled in. Complete only when `ok`. */
  readonly params: Readonly<Record<string, number | string | readonly number[] | null>>
  readonly adjustments: readonly {
    readonly field: string
    readonly from: unknown
    readonly to: unknown
    readonly reason: string
  }[]
}

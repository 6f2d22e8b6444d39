import type { Static, TSchema } from '@sinclair/typebox'

/** Where the configuration of a unit holds a value. */
export type ConfigSource = readonly [section: string, option: string]

/** How an option is spelt on a command line, where that does not follow from the parameter. */
export interface OptionDetails {
  /** Long flag without its dashes; by default the name with dashes for underscores. */
  readonly flag?: string
  /** Type as the unit API spells it, such as `float range`; by default that of the schema. */
  readonly type?: string
  readonly help?: string
  /** A start without it is refused. */
  readonly required?: true
  /** Accepted, but not listed. */
  readonly hidden?: true
}

/** One value of a job, declared once: everything that needs to know it is made from here. It may be an option of the start, a value of
 * the configuration and a published setting at the same time, and has the same type and range as each of them. */
export interface Parameter<S extends TSchema = TSchema> {
  readonly schema: S
  readonly unit?: string
  /** One sentence for help texts, forms and pages. */
  readonly doc: string
  /** What a form calls it; by default made from the name. */
  readonly label?: string
  /** By how much a form counts up and down; by default 1, or about a hundredth of the range where that is not of whole numbers. */
  readonly step?: number

  /** The start takes it as an option. */
  readonly option?: true | OptionDetails
  /** The start takes it as a positional argument, in the order of declaration; a list takes all that are left. */
  readonly argument?: true | { readonly type?: string }
  /** The configuration holds it, for a start that does not give it. */
  readonly config?: ConfigSource
  /** Used when neither start nor configuration give a value; with `config` it is the stock configuration. */
  readonly default?: unknown
  /** It tells how things are at this start: a job that was interrupted starts again without it. */
  readonly once?: true
  /** Texts that a start may give in place of a value, such as `auto`. */
  readonly keywords?: readonly string[]

  /** The job publishes it on a topic of its own, retained. */
  readonly published?: true
  /** Published, and changed by a command on `…/set`. */
  readonly settable?: true
  /** The retained value stays when the job ends. */
  readonly persist?: true
  /** Published beyond what clients of the unit API expect of the job, whose list is compared name by name: only the form has it. */
  readonly unlisted?: true
  /** In which circumstances the setting is there, if not always. */
  readonly when?: string
  /** Where the number stands that a dashboard shows, in a setting that is JSON: names with dots between. */
  readonly valuePath?: string
}

/** Values of a job of which no more is known than its name. */
export type Values = Readonly<Record<string, unknown>>

export type Parameters = Readonly<Record<string, Parameter>>

/** Defaults have the type of their schema, and nothing is misspelt. */
export type WellFormed<P extends Parameters> = {
  readonly [K in keyof P]: { readonly default?: AtStart<P[K]> } & {
    readonly [Unknown in Exclude<keyof P[K], keyof Parameter>]: never
  }
}

type Taken =
  | { readonly option: object | true }
  | { readonly argument: object | true }
  | { readonly config: ConfigSource }
type Shown = { readonly published: true } | { readonly settable: true }
type Required =
  | { readonly default: unknown }
  | { readonly option: { readonly required: true } }
  | { readonly argument: object | true }

type AtStart<P extends Parameter> =
  | Static<P['schema']>
  | (P extends { readonly keywords: readonly (infer K)[] } ? K : never)

/** Values a job starts with: what options, arguments, configuration and defaults say, checked. Undefined where none of them says anything. */
export type StartValues<P extends Parameters> = string extends keyof P
  ? Values
  : {
      readonly [K in keyof P as P[K] extends Taken ? K : never]:
        | AtStart<P[K]>
        | (P[K] extends Required ? never : undefined)
    }

/** Values of the published settings. */
export type SettingValues<P extends Parameters> = string extends keyof P
  ? Values
  : { readonly [K in keyof P as P[K] extends Shown ? K : never]: Static<P[K]['schema']> }

export const isPublished = ({ published, settable }: Parameter): boolean => published === true || settable === true

export const optionDetails = ({ option }: Parameter): OptionDetails | null =>
  option === undefined ? null : option === true ? {} : option

/** The same parameter once for each of several channels, as `od1` … `od4`. */
export const perChannel = <const Prefix extends string, const C extends string, const P extends Parameter>(
  prefix: Prefix,
  channels: readonly C[],
  parameter: (channel: C) => P,
): { readonly [K in `${Prefix}${C}`]: P } =>
  // Keys made of literal types are known as such to the declared result only.
  Object.fromEntries(channels.map((channel) => [`${prefix}${channel}`, parameter(channel)])) as never

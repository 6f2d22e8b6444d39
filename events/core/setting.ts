import type { Static, TSchema } from '@sinclair/typebox'

/** One setting of the environment. The default may depend on the data directory. */
export interface SettingDeclaration<S extends TSchema = TSchema> {
  readonly schema: S
  readonly doc: string
  readonly fallback: (home: string) => Static<S>
  /** The services are given it too. Those of an instrument always are. */
  readonly forServices?: boolean
}

/** Settings by the name of their variable. */
export type Settings = Readonly<Record<string, SettingDeclaration>>

/** What settings say, each with the type of its schema. */
export type ValuesOf<S extends Settings> = { readonly [K in keyof S]: Static<S[K]['schema']> }

/** Declares a setting: reading, checking and the page of settings follow.
 *
 * ```ts
 * const settings = {
 *   BALANCE_INTERVAL_S: setting(Type.Number({ minimum: 0.1, maximum: 3600 }), 1, 'Seconds between two readings.'),
 * }
 * ```
 * @param options `forServices`: a setting of the unit that the services read. Their process is given no other. */
export const setting = <S extends TSchema>(
  schema: S,
  fallback: Static<S> | ((home: string) => Static<S>),
  doc: string,
  options: { readonly forServices?: true } = {},
): SettingDeclaration<S> => ({
  ...options,
  schema,
  fallback: typeof fallback === 'function' ? (fallback as (home: string) => Static<S>) : () => fallback,
  doc,
})

/** The items of a setting that is a list, separated by commas. */
export const listItems = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

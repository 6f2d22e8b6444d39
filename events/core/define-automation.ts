import { type Static, Type } from '@sinclair/typebox'
import { AutomationEvent } from '../bioreactor/automations.js'
import { defineJob, type JobDefinition, type StopOrder } from './define-job.js'
import type { Parameter, Parameters, StartValues, WellFormed } from './parameter.js'
import { datatypeOf } from './values.js'

/** A kind of automation: what all of them have in common beside what every automation has. The job of a kind is `<kind>_automation`. */
export interface AutomationKind<P extends Parameters = Parameters> {
  readonly kind: string
  readonly help: string
  readonly stopOrder: StopOrder
  readonly parameters: P
}

/** Declares a kind of automation. */
export const defineAutomationKind = <const P extends Parameters>(
  kind: AutomationKind<P & WellFormed<P>>,
): AutomationKind<P> => Object.freeze(kind)

/** What every automation has. */
const COMMON = {
  automation_name: { schema: Type.String(), published: true, doc: 'The automation that runs.' },
  latest_event: { schema: AutomationEvent, published: true, doc: 'What it did last.', valuePath: 'event_name' },
  skip_first_run: {
    schema: Type.Boolean(),
    doc: 'A periodic automation waits a whole period first.',
    option: { hidden: true },
    default: false,
  },
  duration: {
    schema: Type.Number({ exclusiveMinimum: 0 }),
    unit: 'min',
    doc: 'Forms of web interfaces send it for every automation; nothing follows from it where nothing is periodic.',
    option: { hidden: true },
  },
} as const satisfies Parameters

/** What an automation says of itself. Settable parameters are options of the start too; without a default they must be given. */
export interface AutomationDeclaration<P extends Parameters = Parameters> {
  readonly name: string
  readonly help: string
  readonly parameters: P
}

/** A declared automation: the job of its kind with its parameters. */
export interface AutomationDefinition<P extends Parameters = Parameters, K extends Parameters = Parameters>
  extends JobDefinition<string, typeof COMMON & K> {
  readonly kind: string
  readonly automation: string
  /** Those of the automation alone. */
  readonly own: P
}

/** Values in force of an automation's own parameters. */
export type AutomationValues<P extends Parameters> = string extends keyof P
  ? Readonly<Record<string, unknown>>
  : {
      readonly [K in keyof P as P[K] extends { readonly settable: true } ? K : never]: Static<P[K]['schema']>
    } & StartValues<P>

/** Declares an automation of a kind. `automationsOf` of the services joins it with its decision.
 * @throws InvalidDeclaration when it contradicts itself. */
export function defineAutomation<const P extends Parameters, const K extends Parameters>(
  { kind, help, stopOrder, parameters }: AutomationKind<K>,
  declaration: AutomationDeclaration<P & WellFormed<P>>,
): AutomationDefinition<P, K> {
  const own: P = declaration.parameters
  const taken = Object.fromEntries(
    Object.entries<Parameter>(own).map(([name, parameter]) => [name, asOption(parameter)]),
  )
  const job = defineJob<string, Parameters>({
    name: `${kind}_automation`,
    help: declaration.help === '' ? help : declaration.help,
    stopOrder,
    automation: declaration.name,
    parameters: { ...COMMON, ...parameters, ...taken },
  })
  return Object.freeze({ ...job, kind, automation: declaration.name, own }) as AutomationDefinition<P, K>
}

/** The contract lists the settable settings of an automation as its options, without help and with the type of the setting. */
function asOption(parameter: Parameter): Parameter {
  const { settable, option, config, schema } = parameter
  if (settable !== true || option !== undefined) return parameter
  const mandatory = parameter.default === undefined && config === undefined
  return { ...parameter, option: { help: '', type: datatypeOf(schema), ...(mandatory ? { required: true } : {}) } }
}

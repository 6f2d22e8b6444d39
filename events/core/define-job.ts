import type { TSchema } from '@sinclair/typebox'
import { jobTopic } from '../topic.js'
import { type JobCapability, jobCapability } from './capability.js'
import { checkDeclaration } from './check-declaration.js'
import { defineError } from './errors.js'
import {
  isPublished,
  type Parameter,
  type Parameters,
  type SettingValues,
  type StartValues,
  type WellFormed,
} from './parameter.js'
import { readValue } from './values.js'

export const SettingUnknown = defineError('setting.unknown', 'input', 'The job has no setting of this name.')
export const SettingReadOnly = defineError('setting.read_only', 'input', 'The setting is published but cannot be set.')

/** What ends first when many jobs are stopped: what can do harm (pumps, heat, motors), then what orders it, then the rest; lights last. */
export const STOP_ORDERS = ['outputs', 'automations', 'others', 'lights'] as const
export type StopOrder = (typeof STOP_ORDERS)[number]

/** What a job says of itself. */
export interface JobDeclaration<Name extends string = string, P extends Parameters = Parameters> {
  /** As on the command line; lower case, words joined by `_`. A space parts a subcommand from its group. */
  readonly name: Name
  readonly help: string
  readonly parameters: P
  /** An action does one thing and ends: it cannot sleep, and may run several times at once. */
  readonly action?: true
  /** `others` by default. */
  readonly stopOrder?: StopOrder
  /** A supervised activity that `stop all` leaves alone. */
  readonly longRunning?: true
  /** It belongs to the unit, not to an experiment: whatever a start says, it runs under `$experiment`. */
  readonly ofUnit?: true
  /** It belongs to the unit and starts with the services. `always`: what it stands for goes on as long as they do, so it is not paused or stopped. */
  readonly resident?: true | 'always'
  /** The automation that a job of this name runs; one name then stands for several definitions. */
  readonly automation?: string
}

/** A declared job: its topics, the values its settings take, and what is announced of it. */
export interface JobDefinition<Name extends string = string, P extends Parameters = Parameters>
  extends JobDeclaration<Name, P> {
  /** What tells this job from the others on offer: its name, and its automation where it has one. */
  readonly key: string
  /** The parameters that are published, by name. */
  readonly settings: Readonly<Record<string, Parameter>>
  /** `pioreactor/<unit>/<experiment>/<job>/<setting>` */
  topic(unit: string, experiment: string, setting: (keyof SettingValues<P> & string) | '$state'): string
  /** Value that a command gives a settable setting: text, or what JSON has of the setting's type. @throws InvalidInput */
  parse<K extends keyof SettingValues<P> & string>(setting: K, value: unknown): SettingValues<P>[K]
  capability(unit: string): JobCapability
}

/** Value types of a definition's settings, as `JobContext.publish` takes them. */
export type SettingsOf<D> = D extends JobDefinition<string, infer P> ? SettingValues<P> : never
/** Value types a job starts with. */
export type ParametersOf<D> = D extends JobDefinition<string, infer P> ? StartValues<P> : never

/** Declares a job. Its options, configuration, settings, topics, capabilities, forms and documentation follow; `createJob` of the services
 * joins it with what it does.
 *
 * ```ts
 * const blinking = defineJob({
 *   name: 'blinking',
 *   help: 'Switch an LED on and off.',
 *   stopOrder: 'lights',
 *   parameters: {
 *     period_s: {
 *       schema: Type.Number({ minimum: 0.1, maximum: 60 }),
 *       unit: 's',
 *       doc: 'From one flash to the next.',
 *       option: true,
 *       settable: true,
 *       config: ['blinking.config', 'period_s'],
 *       default: 2,
 *     },
 *     flashes: { schema: Type.Integer({ minimum: 0 }), doc: 'Flashes so far.', published: true },
 *   },
 * })
 *
 * const createBlinkingJob = (flash: () => Promise<void>): Job =>
 *   createJob(blinking, async (job, { period_s }) => {
 *     let flashes = 0
 *     const timer = repeat({
 *       clock: job.clock,
 *       intervalS: period_s,
 *       tick: async () => {
 *         await flash()
 *         job.publish('flashes', ++flashes)
 *       },
 *       onError: (error) => job.logger.error({ err: error }, 'no flash'),
 *     })
 *     job.atEnd(() => timer.stop())
 *     job.publish('period_s', period_s)
 *     return {
 *       setters: { period_s: { apply: (seconds) => job.publish('period_s', seconds) } },
 *       sleep: async () => timer.pause(),
 *       wake: async () => timer.resume(),
 *     }
 *   })
 * ```
 *
 * @throws InvalidDeclaration when it contradicts itself. */
export function defineJob<const Name extends string, const P extends Parameters>(
  declaration: JobDeclaration<Name, P & WellFormed<P>>,
): JobDefinition<Name, P> {
  checkDeclaration(declaration)
  const { name, automation, parameters } = declaration
  const settings = Object.fromEntries(Object.entries(parameters).filter(([, parameter]) => isPublished(parameter)))
  const settable = (setting: string): Parameter => {
    const declared = settings[setting]
    if (declared === undefined) {
      throw new SettingUnknown(`${name} has no setting '${setting}'.`, { details: { field: setting } })
    }
    if (declared.settable !== true) {
      throw new SettingReadOnly(`${setting} of ${name} cannot be set.`, { details: { field: setting } })
    }
    return declared
  }
  const definition: JobDefinition<Name, P> = {
    ...declaration,
    key: automation === undefined ? name : `${name}/${automation}`,
    settings,
    topic: (unit, experiment, setting) => jobTopic(unit, experiment, name, setting),
    parse: (setting, value) => readValue(setting, commandSpec(settable(setting)), value) as never,
    capability: (unit) => jobCapability(definition, unit),
  }
  return Object.freeze(definition)
}

/** What a command may say; `auto` and the like belong to the start. */
const commandSpec = ({ schema, unit }: Parameter): { schema: TSchema; unit?: string } =>
  unit === undefined ? { schema } : { schema, unit }

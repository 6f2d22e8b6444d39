import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { InvalidInput } from '../errors.js'
import { checkJson, violations } from '../schema.js'
import { jobTopic } from '../topic.js'

/** One published setting of a job. `persist` keeps the retained value after the job ended. */
export interface SettingSpec {
  readonly schema: TSchema
  readonly unit?: string
  readonly settable?: boolean
  readonly persist?: boolean
  readonly doc: string
}

/** One option a start command accepts; the value text is cast like a setting's. */
export interface OptionSpec {
  readonly schema: TSchema
  readonly unit?: string
  readonly doc: string
}

export interface JobSpec {
  readonly help: string
  readonly options?: Readonly<Record<string, OptionSpec>>
  /** Supervised activities that `stop all` leaves alone. */
  readonly longRunning?: boolean
}

/** `datatype` of a capability: scalar name, `json`, or the `title` of an object schema (`MeasuredRPM`). */
export function datatypeOf(schema: TSchema): string {
  switch (schema['type']) {
    case 'number':
      return 'float'
    case 'integer':
    case 'boolean':
    case 'string':
      return String(schema['type'])
    default:
      return typeof schema['title'] === 'string' ? schema['title'] : 'json'
  }
}

/** Payload of a published value: shortest decimal text, `True`/`False`, bare text, or compact JSON.
 * Source: `bioreactor-jobs` §1.3.1. */
export function encodeValue(value: unknown): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False'
    case 'string':
      return value
    case 'number':
      return String(value)
    default:
      return JSON.stringify(value)
  }
}

const TRUE = new Set(['true', '1', 'y', 'on', 'yes', 't'])
const FALSE = new Set(['false', '0', 'n', 'off', 'no', 'f'])
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** Payload or option text → value of the schema's type, checked against it.
 * @throws InvalidInput naming the field, the text and the limit with its unit. */
export function decodeValue<S extends TSchema>(
  field: string,
  spec: { schema: S; unit?: string },
  text: string,
): Static<S> {
  const schema =
    spec.unit === undefined || spec.schema['unit'] !== undefined ? spec.schema : withUnit(spec.schema, spec.unit)
  const wrongType = (expected: string): never => {
    throw new InvalidInput(`${field} is '${text.slice(0, 80)}'; it must be ${expected}.`, {
      details: { field, value: text.slice(0, 80) },
    })
  }
  const trimmed = text.trim()
  let value: unknown
  switch (schema['type']) {
    case 'number':
      value = DECIMAL.test(trimmed)
        ? Number(trimmed)
        : wrongType(`a number${spec.unit === undefined ? '' : ` in ${spec.unit}`}`)
      if (!Number.isFinite(value)) wrongType('a finite number')
      break
    case 'integer':
      value = /^[+-]?\d+$/.test(trimmed) ? Number(trimmed) : wrongType('an integer')
      break
    case 'boolean': {
      const lower = trimmed.toLowerCase()
      value = TRUE.has(lower) ? true : FALSE.has(lower) ? false : wrongType('a boolean such as true or false')
      break
    }
    case 'string':
      value = text
      break
    default:
      return checkJson(schema, text, field)
  }
  const [first] = violations(schema, value, field)
  if (first !== undefined) throw new InvalidInput(first.message, { details: { field, value } })
  return value as Static<S>
}

const united = new WeakMap<TSchema, TSchema>()

/** The schema with its unit as a keyword, so that messages name it; one copy per schema. */
function withUnit<S extends TSchema>(schema: S, unit: string): S {
  let copy = united.get(schema)
  if (copy === undefined) {
    copy = { ...schema, unit }
    united.set(schema, copy)
  }
  return copy as S
}

/** A job declared once: topics, validation, capabilities and documentation come from here. */
export interface JobDefinition<
  Name extends string = string,
  Settings extends Record<string, SettingSpec> = Record<string, SettingSpec>,
> {
  readonly name: Name
  readonly spec: JobSpec
  readonly settings: Settings
  /** `pioreactor/<unit>/<experiment>/<job>/<setting>` */
  topic(unit: string, experiment: string, setting: (keyof Settings & string) | '$state'): string
  /** Value of a settable setting from a `/set` payload. @throws InvalidInput */
  parse<K extends keyof Settings & string>(setting: K, text: string): Static<Settings[K]['schema']>
  capability(): JobCapability
}

/** Value types of a definition's settings. */
export type SettingsOf<D> =
  D extends JobDefinition<string, infer Settings> ? { [K in keyof Settings]: Static<Settings[K]['schema']> } : never

/** What a unit announces of a job on `system/<unit>/capabilities/jobs/<job_name>` (`unit-api-behaviour` §4.1);
 * `schema` and `doc` are ours. */
export interface JobCapability {
  readonly job_name: string
  readonly help: string
  readonly long_running: boolean
  readonly arguments: readonly unknown[]
  readonly options: readonly {
    readonly name: string
    readonly long_flag: string
    readonly help: string
    readonly required: boolean
    readonly multiple: boolean
    readonly default: null
    readonly type: string
    readonly unit?: string
    readonly schema: TSchema
  }[]
  readonly published_settings: Readonly<Record<string, SettingCapability>>
  readonly cli_example: string
}

export interface SettingCapability {
  readonly datatype: string
  readonly settable: boolean
  readonly unit?: string
  readonly persist?: boolean
  readonly doc: string
  readonly schema: TSchema
}

/** Declares a job. `settings` maps each published setting to its schema, unit and documentation. */
export function defineJob<Name extends string, Settings extends Record<string, SettingSpec>>(
  name: Name,
  spec: JobSpec,
  settings: Settings,
): JobDefinition<Name, Settings> {
  return Object.freeze({
    name,
    spec,
    settings,
    topic: (unit: string, experiment: string, setting: string) => jobTopic(unit, experiment, name, setting),
    parse<K extends keyof Settings & string>(setting: K, text: string) {
      const declared = settings[setting]
      if (declared === undefined) {
        throw new InvalidInput(
          `${name} has no setting '${setting}'.`,
          { details: { field: setting } },
          'setting.unknown',
        )
      }
      if (declared.settable !== true) {
        throw new InvalidInput(
          `${setting} of ${name} cannot be set.`,
          { details: { field: setting } },
          'setting.read_only',
        )
      }
      return decodeValue(setting, declared, text) as Static<Settings[K]['schema']>
    },
    capability: () => capabilityOf(name, spec, settings),
  })
}

function capabilityOf(name: string, spec: JobSpec, settings: Readonly<Record<string, SettingSpec>>): JobCapability {
  const published = Object.entries(settings).map(([setting, { schema, unit, settable, persist, doc }]) => [
    setting,
    {
      datatype: datatypeOf(schema),
      settable: settable === true,
      ...(unit === undefined ? {} : { unit }),
      ...(persist === true ? { persist } : {}),
      doc,
      schema,
    },
  ])
  return {
    job_name: name,
    help: spec.help,
    long_running: spec.longRunning === true,
    arguments: [],
    options: Object.entries(spec.options ?? {}).map(([option, { schema, unit, doc }]) => ({
      name: option,
      long_flag: option.replaceAll('_', '-'),
      help: doc,
      required: false,
      multiple: false,
      default: null,
      type: datatypeOf(schema),
      ...(unit === undefined ? {} : { unit }),
      schema,
    })),
    published_settings: {
      ...Object.fromEntries(published),
      $state: {
        datatype: 'string',
        settable: true,
        persist: true,
        doc: 'Life-cycle state.',
        schema: Type.String(),
      },
    },
    cli_example: `pio run ${name} [OPTIONS]`,
  }
}

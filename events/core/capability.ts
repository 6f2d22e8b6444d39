import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { isRequestableState, JOB_STATES } from '../job-state.js'
import type { JobDefinition } from './define-job.js'
import { optionDetails, type Parameter } from './parameter.js'
import { choice, datatypeOf } from './values.js'

const Schema = Type.Unsafe<TSchema>(Type.Object({}))

/** A positional argument (`unit-api-behaviour` §4.1); `nargs` −1 takes any number. */
const ArgumentCapability = Type.Object({
  name: Type.String(),
  nargs: Type.Integer(),
  required: Type.Boolean(),
  type: Type.String(),
})

const OptionCapability = Type.Object({
  name: Type.String(),
  long_flag: Type.String(),
  help: Type.String(),
  required: Type.Boolean(),
  multiple: Type.Boolean(),
  /** Null where the configuration supplies the value, or nothing does. */
  default: Type.Unknown(),
  type: Type.String(),
})

const SettingCapability = Type.Object({
  datatype: Type.String(),
  settable: Type.Boolean(),
  unit: Type.Optional(Type.String()),
  persist: Type.Optional(Type.Boolean()),
})

const FIELD = {
  name: Type.String(),
  label: Type.String(),
  help: Type.String(),
  datatype: Type.String(),
  /** JSON schema of the value: range, choices, and our keywords `unit` and `step`. */
  schema: Schema,
}

/** A field of the form that starts a job. */
const StartField = Type.Object({
  ...FIELD,
  required: Type.Boolean(),
  /** What counts when the field is left empty; absent when that is up to the configuration of the unit, or nothing does. */
  default: Type.Optional(Type.Unknown()),
  /** Texts that may stand in place of a value. */
  keywords: Type.Optional(Type.Array(Type.String())),
})

/** A setting as a dashboard shows and changes it. In topics `{experiment}` stands for the experiment the job runs in. */
const SettingField = Type.Object({
  ...FIELD,
  topic: Type.String(),
  /** Where the value stands in a JSON payload: names with dots between; absent when the payload is the value. */
  value_path: Type.Optional(Type.String()),
  /** In which circumstances the setting is there, if not always. */
  when: Type.Optional(Type.String()),
  /** Set when the retained value stays after the end of the job. */
  persist: Type.Optional(Type.Boolean()),
  /** Where a new value is ordered, as text or as `{"value": …, "id": …}`; absent when it cannot be. */
  command_topic: Type.Optional(Type.String()),
  /** What may be ordered, where that is not all that may be published. */
  command_schema: Type.Optional(Schema),
  /** Where the order is answered. */
  outcome_topic: Type.Optional(Type.String()),
})

/** What a unit announces of a job on `system/<unit>/capabilities/jobs/<job_name>`, of an automation one level deeper. All but `long_running`
 * and `form` is what the unit API gives (`unit-api-behaviour` §4.1). */
export const JobCapability = Type.Object({
  job_name: Type.String(),
  automation_name: Type.Optional(Type.String()),
  help: Type.String(),
  long_running: Type.Boolean(),
  arguments: Type.Array(ArgumentCapability),
  options: Type.Array(OptionCapability),
  published_settings: Type.Record(Type.String(), SettingCapability),
  cli_example: Type.String(),
  form: Type.Object({ start: Type.Array(StartField), settings: Type.Array(SettingField) }),
})
export type JobCapability = Static<typeof JobCapability>

export function jobCapability(definition: JobDefinition, unit: string): JobCapability {
  const { name, automation, help, longRunning, action } = definition
  const parameters = Object.entries(definition.parameters)
  const args = parameters.filter(([, { argument }]) => argument !== undefined)
  const command = automation === undefined ? name : `${name} --automation-name ${automation}`
  const names = args.map(([argument]) => ` ${argument.toUpperCase()}`).join('')
  return {
    job_name: name,
    ...(automation === undefined ? {} : { automation_name: automation }),
    help,
    long_running: longRunning === true,
    arguments: args.map(argumentCapability),
    options: parameters.flatMap(optionCapability).map((option) => contractOption(definition, option)),
    published_settings: action === true ? {} : publishedSettings(definition),
    // Positional names are followed by no space: clients compare the text. Source: Pioreactor 26.7.
    cli_example: `pio run ${command}${names === '' ? ' ' : names}[OPTIONS]`,
    form: {
      start: parameters.flatMap(startField),
      settings: [
        ...Object.entries(definition.settings).map((setting) => settingField(definition, unit, setting)),
        stateField(definition, unit),
      ],
    },
  }
}

type Named = readonly [name: string, parameter: Parameter]

/** Type of a single value as a command line spells it. */
function commandLineType(schema: TSchema): string {
  const datatype = datatypeOf(schema['type'] === 'array' ? (schema['items'] as TSchema) : schema)
  return datatype === 'string' ? 'text' : datatype
}

function argumentCapability([name, { schema, argument }]: Named): Static<typeof ArgumentCapability> {
  const many = schema['type'] === 'array'
  const type = typeof argument === 'object' ? argument.type : undefined
  return { name, nargs: many ? -1 : 1, required: !many, type: type ?? commandLineType(schema) }
}

function optionCapability([name, parameter]: Named): readonly Static<typeof OptionCapability>[] {
  const details = optionDetails(parameter)
  if (details === null || details.hidden === true) return []
  return [
    {
      name,
      long_flag: details.flag ?? name.replaceAll('_', '-'),
      help: details.help ?? parameter.doc,
      required: details.required === true,
      multiple: parameter.schema['type'] === 'array',
      default: parameter.config === undefined ? (parameter.default ?? null) : null,
      type: details.type ?? commandLineType(parameter.schema),
    },
  ]
}

/** The contract lists options of automations as neither required nor with a default; the form tells. */
const contractOption = <O extends object>({ automation }: JobDefinition, option: O): O =>
  automation === undefined ? option : { ...option, required: false, default: null }

function publishedSettings({ settings }: JobDefinition): Record<string, Static<typeof SettingCapability>> {
  const listed = Object.entries(settings).filter(([, { unlisted }]) => unlisted !== true)
  const published = listed.map(([name, { schema, unit, settable, persist }]) => [
    name,
    {
      datatype: datatypeOf(schema),
      settable: settable === true,
      ...(unit === undefined ? {} : { unit }),
      ...(persist === true ? { persist } : {}),
    },
  ])
  return { ...Object.fromEntries(published), $state: { datatype: 'string', settable: true } }
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** One for whole numbers; for others the power of ten next below a hundredth of the range, or one without a range. */
function usualStep({ type, minimum, exclusiveMinimum = minimum, maximum, exclusiveMaximum = maximum }: TSchema) {
  if (type === 'integer') return 1
  if (type !== 'number') return undefined
  const range = Number(exclusiveMaximum) - Number(exclusiveMinimum)
  return Number.isFinite(range) && range > 0 ? 10 ** Math.floor(Math.log10(range / 100)) : 1
}

function field([name, { schema, unit, step = usualStep(schema), label, doc }]: Named) {
  return {
    name,
    label: label ?? capitalised(name.replaceAll('_', ' ')),
    help: doc,
    datatype: datatypeOf(schema),
    schema: { ...schema, ...(unit === undefined ? {} : { unit }), ...(step === undefined ? {} : { step }) },
  }
}

function startField([name, parameter]: Named): readonly Static<typeof StartField>[] {
  const details = optionDetails(parameter)
  if (parameter.argument === undefined && (details === null || details.hidden === true)) return []
  const isList = parameter.schema['type'] === 'array'
  const { config, keywords } = parameter
  return [
    {
      ...field([name, parameter]),
      required: parameter.argument === undefined ? details?.required === true : !isList,
      ...(config === undefined && parameter.default !== undefined ? { default: parameter.default } : {}),
      ...(keywords === undefined ? {} : { keywords: [...keywords] }),
    },
  ]
}

/** A topic with the level that is known only when the job runs. */
const EXPERIMENT = '{experiment}'

function settingField(
  { topic }: Pick<JobDefinition, 'topic'>,
  unit: string,
  [name, parameter]: Named,
): Static<typeof SettingField> {
  const own = topic(unit, EXPERIMENT, name)
  const { valuePath, when, persist, settable } = parameter
  return {
    ...field([name, parameter]),
    topic: own,
    ...(valuePath === undefined ? {} : { value_path: valuePath }),
    ...(when === undefined ? {} : { when }),
    ...(persist === undefined ? {} : { persist }),
    ...(settable === true ? { command_topic: `${own}/set`, outcome_topic: `${own}/set/outcome` } : {}),
  }
}

function stateField(definition: JobDefinition, unit: string): Static<typeof SettingField> {
  const requestable = definition.action === true ? ['disconnected'] : JOB_STATES.filter(isRequestableState)
  const state: Parameter = { schema: choice(JOB_STATES), doc: 'Life-cycle state.', settable: true, persist: true }
  return { ...settingField(definition, unit, ['$state', state]), label: 'State', command_schema: choice(requestable) }
}

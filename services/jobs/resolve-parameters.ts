import type { TSchema } from '@sinclair/typebox'
import { InvalidConfig } from '../../events/config/errors.js'
import type { JobDefinition, ParametersOf } from '../../events/core/define-job.js'
import { defineError, InvalidInput, isInputError, type LabError } from '../../events/core/errors.js'
import { optionDetails, type Parameter, type Values } from '../../events/core/parameter.js'
import { decodeValue, encodeValue } from '../../events/core/values.js'
import type { UnitConfig } from '../unit-admin/config/unit-config.js'

const OptionUnknown = defineError('job.unknown_option', 'input', 'The job has no option of this name.')

/** What a start says itself. */
export interface Given {
  /** By name, or by long flag with or without its dashes. A null stands for a bare flag. */
  readonly options: Readonly<Record<string, unknown>>
  readonly args: readonly string[]
}

/** The values a job starts with: of each parameter the option or argument, else what the configuration says, else its default.
 * @throws InvalidInput naming every value that is not as declared, with its limit, and its place in the configuration if it came from there. */
export function resolveParameters(definition: JobDefinition, given: Given, config: UnitConfig): Values {
  const options = namedOptions(definition, given.options)
  const args = namedArguments(definition, given.args)
  const values: Record<string, unknown> = {}
  const problems: LabError[] = []
  for (const [name, parameter] of Object.entries(definition.parameters)) {
    if (parameter.option === undefined && parameter.argument === undefined && parameter.config === undefined) continue
    try {
      if (options.has(name)) values[name] = readOption(name, parameter, options.get(name))
      else if (args.has(name)) values[name] = readOption(name, parameter, args.get(name))
      else values[name] = configured(parameter, config) ?? standard(name, parameter)
    } catch (error) {
      if (!isInputError(error)) throw error
      problems.push(error)
    }
  }
  const [first, ...more] = problems
  if (first === undefined) return values
  if (more.length === 0) throw first
  throw new InvalidInput(problems.map(({ message }) => message).join(' '), {
    details: { problems: problems.map(({ code, message, details }) => ({ code, message, ...details })) },
  })
}

/** What a job would start with were nothing asked for: for others that do the same work. @throws InvalidInput */
export const configuredParameters = <D extends JobDefinition>(definition: D, config: UnitConfig): ParametersOf<D> =>
  // Read by the declaration; the types are known only here.
  resolveParameters(definition, { options: {}, args: [] }, config) as ParametersOf<D>

function namedOptions(definition: JobDefinition, given: Given['options']): ReadonlyMap<string, unknown> {
  const names = new Map<string, string>()
  for (const [name, parameter] of Object.entries(definition.parameters)) {
    const details = optionDetails(parameter)
    if (details !== null) names.set(name, name).set(details.flag ?? name, name)
  }
  return new Map(
    Object.entries(given).map(([key, value]) => {
      const name = names.get(key) ?? names.get(key.replaceAll('-', '_'))
      if (name !== undefined) return [name, value]
      throw new OptionUnknown(`${definition.name} has no option '${key}'.`, { details: { field: key } })
    }),
  )
}

/** Arguments in the order of their declaration. Those that no parameter takes are left out. */
function namedArguments(definition: JobDefinition, given: readonly string[]): ReadonlyMap<string, unknown> {
  const left = [...given]
  const named = new Map<string, unknown>()
  for (const [name, { argument, schema }] of Object.entries(definition.parameters)) {
    if (argument === undefined) continue
    if (isList(schema)) named.set(name, left.splice(0))
    else if (left.length > 0) named.set(name, left.shift())
  }
  return named
}

const isList = (schema: TSchema): boolean => schema['type'] === 'array'

function readOption(name: string, parameter: Parameter, value: unknown): unknown {
  if (!isList(parameter.schema)) return decodeValue(name, parameter, optionText(parameter.schema, value))
  const schema = parameter.schema['items'] as TSchema
  return (Array.isArray(value) ? value : [value]).map((item: unknown) =>
    decodeValue(name, { ...parameter, schema }, optionText(schema, item)),
  )
}

/** The text a command line would have. */
const optionText = (schema: TSchema, value: unknown): string =>
  value === null ? (schema['type'] === 'boolean' ? 'True' : '') : encodeValue(value)

/** Undefined when the configuration says nothing. */
function configured(parameter: Parameter, config: UnitConfig): unknown {
  if (parameter.config === undefined) return undefined
  const [section, option] = parameter.config
  const text = config.find(section, option)
  // An empty entry is how a configuration says that it has no value for what needs none.
  if (text === undefined || (text.trim() === '' && parameter.default === undefined)) return undefined
  try {
    return decodeValue(`[${section}] ${option}`, parameter, text)
  } catch (cause) {
    if (!isInputError(cause)) throw cause
    throw new InvalidConfig(cause.message, {
      cause,
      details: { section, option, value: text.slice(0, 80) },
      remediation: `Correct ${option} in section [${section}] of config.ini or unit_config.ini.`,
    })
  }
}

function standard(name: string, parameter: Parameter): unknown {
  const { argument, schema } = parameter
  if (parameter.default !== undefined) return parameter.default
  if (argument !== undefined && isList(schema)) return []
  if (argument === undefined && optionDetails(parameter)?.required !== true) return undefined
  throw new InvalidInput(`${name} is missing.`, { details: { field: name } })
}

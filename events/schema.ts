import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { InvalidInput } from './core/errors.js'

/** Schemas are TypeBox, checked by ajv. Our own keywords document a value: `unit` is appended to limits in messages. */
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, keywords: ['unit', 'doc', 'step'] })

const compiled = new WeakMap<object, ValidateFunction>()

function validatorOf(schema: object): ValidateFunction {
  let validate = compiled.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    compiled.set(schema, validate)
  }
  return validate
}

/** One thing wrong with a value. */
export interface Violation {
  /** Path of the field, dots between names; the name given to `check` for the value itself. */
  readonly field: string
  /** One sentence with the value, the limit and its unit. */
  readonly message: string
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

const LIMIT_TEXT: Readonly<Record<string, string>> = {
  minimum: 'at least',
  maximum: 'at most',
  exclusiveMinimum: 'above',
  exclusiveMaximum: 'below',
}

function describe(error: ErrorObject, name: string, root: unknown, unit: string | undefined): Violation {
  const path = error.instancePath.split('/').slice(1)
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], root)
  const field = [...(name === '' ? [] : [name]), ...path].join('.') || 'value'
  const withUnit = (limit: unknown): string => (unit === undefined ? String(limit) : `${String(limit)} ${unit}`)
  const params = error.params as Record<string, unknown>
  const limit = LIMIT_TEXT[error.keyword]
  if (limit !== undefined) {
    return { field, message: `${field} is ${withUnit(show(value))}; it must be ${limit} ${withUnit(params['limit'])}.` }
  }
  switch (error.keyword) {
    case 'required':
      return {
        field: [field, params['missingProperty']].join('.').replace(/^value\./, ''),
        message: `${String(params['missingProperty'])} is missing.`,
      }
    case 'additionalProperties':
      return { field, message: `${String(params['additionalProperty'])} is not a known field.` }
    case 'type':
      return { field, message: `${field} is ${show(value)}; it must be of type ${String(params['type'])}.` }
    case 'enum':
      return { field, message: `${field} is ${show(value)}; allowed are ${show(params['allowedValues'])}.` }
    case 'pattern':
      return { field, message: `${field} is ${show(value)}; it must match ${String(params['pattern'])}.` }
    default:
      return { field, message: `${field} is ${show(value)}; it ${error.message ?? 'is not allowed'}.` }
  }
}

/** Everything wrong with a value, or an empty array. Never throws.
 * @param name what to call the value itself in messages; empty for a body whose fields speak for themselves. */
export function violations(schema: TSchema, value: unknown, name = ''): readonly Violation[] {
  const validate = validatorOf(schema)
  if (validate(value)) return []
  const unit = typeof schema['unit'] === 'string' ? schema['unit'] : undefined
  return (validate.errors ?? []).map((error) => describe(error, name, value, unit))
}

/** The value with its static type.
 * @throws InvalidInput with all violations in `details.violations`. */
export function check<S extends TSchema>(schema: S, value: unknown, name = ''): Static<S> {
  const found = violations(schema, value, name)
  if (found.length === 0) return value as Static<S>
  throw new InvalidInput(found.map(({ message }) => message).join(' '), { details: { violations: found } })
}

/** Parses JSON text and checks it. @throws InvalidInput when it is not JSON or does not fit. */
export function checkJson<S extends TSchema>(schema: S, text: string | null, name = ''): Static<S> {
  return check(schema, parseJson(text, name), name)
}

/** @throws InvalidInput when the text is null or not JSON. */
export function parseJson(text: string | null, name = 'payload'): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch (cause) {
    throw new InvalidInput(`${name || 'payload'} is not JSON: ${show(text)}.`, {
      cause,
      details: { field: name || 'payload' },
    })
  }
}

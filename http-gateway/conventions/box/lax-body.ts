import type { Static, TSchema } from '@sinclair/typebox'
import { defineError, type LabError } from '../../../events/core/errors.js'
import { withStatus } from '../../framework/errors.js'
import { decodeJson } from '../../framework/read-body.js'
import { requiredFields } from '../unit/strict-body.js'

export const ValidationError = withStatus(
  422,
  defineError(
    'request.validation_error',
    'input',
    'Box API: body or query do not have the documented form; `detail` lists every issue.',
  ),
)

/** One problem of a body or query, in the form pydantic gives it. */
export interface Issue {
  readonly type: string
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly input: unknown
}

/** Decodes a body of the box API with the coercions of pydantic's lax mode: numbers and booleans from text and from each other where
 * nothing is lost; unknown fields are ignored.
 * @throws ValidationError with every issue. */
export function decodeLaxBody<S extends TSchema>(schema: S, bytes: Uint8Array): Static<S> {
  const decoded = bytes.length === 0 ? { value: undefined } : decodeJson(bytes)
  if ('fault' in decoded) {
    const { detail, at } = decoded.fault
    const loc = at === null ? ['body'] : ['body', at]
    throw invalid([{ type: 'json_invalid', loc, msg: `JSON decode error: ${detail}`, input: {} }])
  }
  return coerceOrThrow(schema, decoded.value, 'body')
}

/** Decodes a query string; of a repeated parameter the last value counts. @throws ValidationError */
export function decodeLaxQuery<S extends TSchema>(schema: S, query: Readonly<Record<string, unknown>>): Static<S> {
  const last = Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value])
  return coerceOrThrow(schema, Object.fromEntries(last), 'query')
}

function coerceOrThrow<S extends TSchema>(schema: S, value: unknown, where: string): Static<S> {
  const result = value === undefined ? missing([where], null) : coerce(schema, value, [where])
  if ('issues' in result) throw invalid(result.issues)
  return result.value as Static<S>
}

const invalid = (issues: readonly Issue[]): LabError =>
  new ValidationError(issues.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '), {
    remediation: 'Correct the listed fields and send the request again.',
    details: { issues },
  })

type Loc = readonly (string | number)[]
type Coerced = { readonly value: unknown } | { readonly issues: readonly Issue[] }

const missing = (loc: Loc, input: unknown): Coerced => fail('missing', loc, 'Field required', input)
const fail = (type: string, loc: Loc, msg: string, input: unknown): { readonly issues: readonly Issue[] } => ({
  issues: [{ type, loc, msg, input }],
})

/** A value in the schema's type, or every issue found. */
export function coerce(schema: TSchema, value: unknown, loc: Loc): Coerced {
  if (Array.isArray(schema['anyOf'])) return coerceUnion(schema['anyOf'] as TSchema[], value, loc)
  if ('const' in schema) {
    return value === schema['const']
      ? { value }
      : fail('literal_error', loc, `Input should be '${schema['const']}'`, value)
  }
  switch (schema['type']) {
    case 'string':
      return typeof value === 'string' ? { value } : fail('string_type', loc, 'Input should be a valid string', value)
    case 'boolean':
      return coerceBoolean(value, loc)
    case 'integer':
      return coerceInteger(value, loc)
    case 'number':
      return coerceNumber(value, loc)
    case 'array':
      return coerceArray(schema, value, loc)
    case 'object':
      return coerceObject(schema, value, loc)
    default:
      return { value }
  }
}

const isNull = (schema: TSchema): boolean => schema['type'] === 'null'

function coerceUnion(options: readonly TSchema[], value: unknown, loc: Loc): Coerced {
  if (value === null && options.some(isNull)) return { value }
  const others = options.filter((option) => !isNull(option))
  const [only] = others
  if (others.length === 1 && only !== undefined) return coerce(only, value, loc)
  if (others.every((option) => 'const' in option)) {
    if (others.some((option) => option['const'] === value)) return { value }
    const names = others.map((option) => `'${option['const']}'`)
    return fail('literal_error', loc, `Input should be ${names.join(' or ')}`, value)
  }
  // Where a word may stand for a number, the issue is that of the number.
  const [number, ...further] = others.filter((option) => !('const' in option))
  if (number !== undefined && further.length === 0 && ['integer', 'number'].includes(String(number['type']))) {
    return others.some((option) => option['const'] === value) ? { value } : coerce(number, value, loc)
  }
  const attempts = others.map((option) => coerce(option, value, [...loc, labelOf(option)]))
  return (
    attempts.find((attempt) => 'value' in attempt) ?? {
      issues: attempts.flatMap((attempt) => ('issues' in attempt ? attempt.issues : [])),
    }
  )
}

function labelOf(schema: TSchema): string {
  if ('const' in schema) return `literal['${schema['const']}']`
  return schema['type'] === 'array' ? 'list[str]' : String(schema['type'])
}

const TRUE = new Set(['true', 't', 'yes', 'y', 'on', '1'])
const FALSE = new Set(['false', 'f', 'no', 'n', 'off', '0'])

function coerceBoolean(value: unknown, loc: Loc): Coerced {
  if (typeof value === 'boolean') return { value }
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).toLowerCase() : ''
  if (TRUE.has(text)) return { value: true }
  if (FALSE.has(text)) return { value: false }
  return typeof value === 'string' || typeof value === 'number'
    ? fail('bool_parsing', loc, 'Input should be a valid boolean, unable to interpret input', value)
    : fail('bool_type', loc, 'Input should be a valid boolean', value)
}

const NUMBER = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/

function coerceNumber(value: unknown, loc: Loc): Coerced {
  if (typeof value === 'boolean') return { value: Number(value) }
  if (typeof value !== 'number' && typeof value !== 'string') {
    return fail('float_type', loc, 'Input should be a valid number', value)
  }
  if (typeof value === 'string' && !NUMBER.test(value)) {
    return fail('float_parsing', loc, 'Input should be a valid number, unable to parse string as a number', value)
  }
  const number = Number(value)
  return Number.isFinite(number)
    ? { value: number }
    : fail('finite_number', loc, 'Input should be a finite number', value)
}

function coerceInteger(value: unknown, loc: Loc): Coerced {
  if (typeof value === 'boolean') return { value: Number(value) }
  if (typeof value === 'string') {
    return /^\s*[+-]?\d+(\.0*)?\s*$/.test(value)
      ? { value: Number(value) }
      : fail('int_parsing', loc, 'Input should be a valid integer, unable to parse string as an integer', value)
  }
  if (typeof value !== 'number') return fail('int_type', loc, 'Input should be a valid integer', value)
  return Number.isSafeInteger(value)
    ? { value }
    : fail('int_from_float', loc, 'Input should be a valid integer, got a number with a fractional part', value)
}

function coerceArray(schema: TSchema, value: unknown, loc: Loc): Coerced {
  if (!Array.isArray(value)) return fail('list_type', loc, 'Input should be a valid list', value)
  const least: number = schema['minItems'] ?? 0
  if (value.length < least) {
    const items = `${least} item${least === 1 ? '' : 's'}`
    return fail('too_short', loc, `List should have at least ${items}, not ${value.length}`, value)
  }
  const most: number = schema['maxItems'] ?? Number.POSITIVE_INFINITY
  if (value.length > most) {
    return fail('too_long', loc, `List should have at most ${most} items, not ${value.length}`, null)
  }
  return gather(
    value.map((item, index) => [index, coerce(schema['items'] as TSchema, item, [...loc, index])] as const),
    (entries) => entries.map(([, item]) => item),
  )
}

function coerceObject(schema: TSchema, value: unknown, loc: Loc): Coerced {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('dict_type', loc, 'Input should be a valid dictionary', value)
  }
  const given = value as Readonly<Record<string, unknown>>
  const [mapped] = Object.values<TSchema>(schema['patternProperties'] ?? {})
  const names = mapped === undefined ? Object.entries<TSchema>(schema['properties'] ?? {}) : []
  const required = requiredFields(schema)
  const declared = names.flatMap(([name, field]): (readonly [string, Coerced])[] => {
    if (Object.hasOwn(given, name)) {
      const coerced = coerce(field, given[name], [...loc, name])
      return [[name, field['writeOnly'] === true ? withoutInput(coerced) : coerced]]
    }
    if (required.includes(name)) return [[name, missing([...loc, name], withoutSecrets(schema, given))]]
    return field['default'] === undefined ? [] : [[name, { value: field['default'] }]]
  })
  const free = mapped === undefined ? [] : Object.entries(given)
  return gather(
    [...declared, ...free.map(([name, item]) => [name, coerce(mapped as TSchema, item, [...loc, name])] as const)],
    (entries) => Object.fromEntries(entries),
  )
}

/** Issues repeat what was sent, but never a secret. */
const withoutInput = (coerced: Coerced): Coerced =>
  'issues' in coerced ? { issues: coerced.issues.map((issue) => ({ ...issue, input: null })) } : coerced

const withoutSecrets = (schema: TSchema, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => schema['properties']?.[name]?.writeOnly !== true))

function gather<K extends PropertyKey>(
  parts: readonly (readonly [K, Coerced])[],
  assemble: (entries: readonly (readonly [K, unknown])[]) => unknown,
): Coerced {
  const issues = parts.flatMap(([, part]) => ('issues' in part ? part.issues : []))
  if (issues.length > 0) return { issues }
  return { value: assemble(parts.map(([key, part]) => [key, 'value' in part ? part.value : undefined] as const)) }
}

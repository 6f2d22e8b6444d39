import { type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { parseJson, violations } from '../schema.js'
import { InvalidInput } from './errors.js'

/** What a text is read as. */
export interface ValueSpec<S extends TSchema = TSchema> {
  readonly schema: S
  readonly unit?: string
  /** Texts that may stand in place of a value. */
  readonly keywords?: readonly string[]
}

/** One of a few texts. */
export const choice = <const T extends readonly string[]>(texts: T): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ type: 'string', enum: texts })

/** `datatype` of a setting: scalar name, `json`, or the `title` of an object schema (`MeasuredRPM`). */
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

/** Payload, option or configured text → value of the schema's type, checked against it.
 * @throws InvalidInput naming the field, the text and the limit with its unit. */
export function decodeValue<S extends TSchema>(field: string, spec: ValueSpec<S>, text: string): Static<S> {
  const { keywords = [], unit } = spec
  const trimmed = text.trim()
  if (keywords.includes(trimmed)) return trimmed as Static<S>
  const wrongType = (expected: string): never => {
    const allowed = [expected, ...keywords].join(' or ')
    throw new InvalidInput(`${field} is '${text.slice(0, 80)}'; it must be ${allowed}.`, {
      details: { field, value: text.slice(0, 80) },
    })
  }
  let value: unknown
  switch (spec.schema['type']) {
    case 'number':
      value = DECIMAL.test(trimmed) ? Number(trimmed) : wrongType(`a number${unit === undefined ? '' : ` in ${unit}`}`)
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
      value = parseJson(text, field)
  }
  return checkValue(field, spec, value)
}

/** A value of the schema's type, or its text, as JSON carries it. @throws InvalidInput naming the field */
export const readValue = <S extends TSchema>(field: string, spec: ValueSpec<S>, value: unknown): Static<S> =>
  typeof value === 'string' ? decodeValue(field, spec, value) : checkValue(field, spec, value)

/** The value, when it is as the schema says. @throws InvalidInput naming field, value and limit with its unit */
function checkValue<S extends TSchema>(field: string, spec: ValueSpec<S>, value: unknown): Static<S> {
  const [first] = violations(withUnit(spec), value, field)
  if (first !== undefined) throw new InvalidInput(first.message, { details: { field, value } })
  return value as Static<S>
}

const united = new WeakMap<TSchema, Map<string, TSchema>>()

/** The schema with its unit as a keyword, so that messages name it; one copy per schema and unit. */
function withUnit<S extends TSchema>({ schema, unit }: ValueSpec<S>): S {
  if (unit === undefined || schema['unit'] !== undefined) return schema
  const copies = united.get(schema) ?? new Map<string, TSchema>()
  united.set(schema, copies)
  const copy = copies.get(unit) ?? { ...schema, unit }
  copies.set(unit, copy)
  return copy as S
}

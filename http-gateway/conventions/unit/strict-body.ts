import type { Static, TSchema } from '@sinclair/typebox'
import { defineError, type LabError } from '../../../events/core/errors.js'
import { decodeJson } from '../../framework/read-body.js'

export const InvalidBody = defineError(
  'request.invalid_body',
  'input',
  'Unit API: the body is not a JSON object of the documented form.',
)

/** Decodes a body of the unit API. The content type is not looked at, except that form bodies count as empty. No coercion; fields
 * with a `default` may be absent; unknown fields are dropped unless the schema forbids them.
 * @throws InvalidBody with the diagnosis in `details.cause`. Vocabulary: Pioreactor 26.7. */
export function decodeStrictBody<S extends TSchema>(schema: S, bytes: Uint8Array, contentType = ''): Static<S> {
  if (isForm(contentType)) throw invalidBody(schema, TRUNCATED, ', and the header Content-Type: application/json')
  const decoded = decodeJson(bytes)
  if ('fault' in decoded) {
    const { truncated, detail, at } = decoded.fault
    const place = at === null ? '' : ` (byte ${at})`
    throw invalidBody(schema, truncated ? TRUNCATED : `JSON is malformed: ${detail}${place}`)
  }
  const result = decode(schema, decoded.value, '$')
  if ('cause' in result) throw invalidBody(schema, result.cause)
  return result.value as Static<S>
}

const TRUNCATED = 'Input data was truncated'

/** The uniform refusal of a body that cannot be decoded. @param andWhat What else to send. */
export function invalidBody(schema: TSchema, cause: string, andWhat = ''): LabError {
  const required = requiredFields(schema)
  return new InvalidBody('Invalid request body.', {
    remediation:
      required.length === 0
        ? `Send a JSON object${andWhat}.`
        : `Send a JSON object with the required fields: ${required.join(', ')}${andWhat}.`,
    details: { cause },
  })
}

const isForm = (contentType: string): boolean =>
  /^application\/x-www-form-urlencoded/i.test(contentType) || /^multipart\/[^;]+;.*boundary=\S/i.test(contentType)

/** Names a client must send, in declaration order: those without a default. */
export function requiredFields(schema: TSchema): readonly string[] {
  const names: readonly string[] = schema['required'] ?? []
  return names.filter((name) => schema['properties']?.[name]?.default === undefined)
}

type Decoded = { readonly value: unknown } | { readonly cause: string }

function decode(schema: TSchema, value: unknown, path: string): Decoded {
  const wrong: Decoded = {
    cause: `Expected \`${expectedName(schema)}\`, got \`${typeName(value)}\`${path === '$' ? '' : ` - at \`${path}\``}`,
  }
  if (Array.isArray(schema['anyOf'])) {
    const fits = (schema['anyOf'] as TSchema[]).map((option) => decode(option, value, path))
    return fits.find((fit) => 'value' in fit) ?? wrong
  }
  switch (schema['type']) {
    case 'string':
      return typeof value === 'string' ? { value } : wrong
    case 'boolean':
      return typeof value === 'boolean' ? { value } : wrong
    case 'integer':
      return Number.isSafeInteger(value) ? { value } : wrong
    case 'number':
      return typeof value === 'number' ? { value } : wrong
    case 'null':
      return value === null ? { value } : wrong
    case 'array':
      return Array.isArray(value) ? decodeItems(schema, value, path) : wrong
    case 'object':
      return isObject(value) ? decodeFields(schema, value, path) : wrong
    default:
      return { value }
  }
}

function decodeItems(schema: TSchema, items: readonly unknown[], path: string): Decoded {
  const values: unknown[] = []
  for (const [index, item] of items.entries()) {
    const decoded = decode(schema['items'] as TSchema, item, `${path}[${index}]`)
    if ('cause' in decoded) return decoded
    values.push(decoded.value)
  }
  return { value: values }
}

function decodeFields(schema: TSchema, fields: Readonly<Record<string, unknown>>, path: string): Decoded {
  const place = path === '$' ? '' : ` - at \`${path}\``
  const properties: Readonly<Record<string, TSchema>> = schema['properties'] ?? {}
  const [mapped] = Object.values<TSchema>(schema['patternProperties'] ?? {})
  const entries: [string, unknown][] = []
  for (const [name, value] of Object.entries(fields)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : mapped
    if (known === undefined) {
      if (schema['additionalProperties'] === false)
        return { cause: `Object contains unknown field \`${name}\`${place}` }
      continue
    }
    const decoded = decode(known, value, known === mapped ? `${path}[...]` : `${path}.${name}`)
    if ('cause' in decoded) return decoded
    entries.push([name, decoded.value])
  }
  for (const [name, { default: fallback }] of Object.entries(properties)) {
    if (fallback !== undefined && !Object.hasOwn(fields, name)) entries.push([name, fallback])
  }
  const missing = requiredFields(schema).find((name) => !Object.hasOwn(fields, name))
  if (missing !== undefined) return { cause: `Object missing required field \`${missing}\`${place}` }
  return { value: Object.fromEntries(entries) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return 'object'
  }
}

const NAMES: Readonly<Record<string, string>> = { string: 'str', boolean: 'bool', integer: 'int', number: 'float' }

function expectedName(schema: TSchema): string {
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as TSchema[]).map(expectedName).join(' | ')
  return NAMES[schema['type']] ?? String(schema['type'])
}

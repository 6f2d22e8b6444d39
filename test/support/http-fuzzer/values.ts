import fc, { type Arbitrary } from 'fast-check'

/** A JSON Schema as the served document spells it. */
export type Schema = Readonly<Record<string, unknown>>
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Names that mean something to a unit, so that requests get beyond their first check. */
export const KNOWN_NAMES = [
  ...['stirring', 'od_reading', 'target_rpm', '$state', 'growth', '$experiment'],
  ...['CA', 'CV', 'EIS', 'CDL', 'slot01', 'slot02', 'running', 'done'],
]

const NESTED = JSON.parse(`${'['.repeat(2000)}${']'.repeat(2000)}`) as Json

/** What no client sends on purpose. */
export const oddValue: Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    ...[null, true, -0, 1e308, -1e-320, 2 ** 53, 4294967296, 'NaN', '', ' ', '\0', '__proto__', '../../etc/passwd'],
    ...['\ud800', '+', '#', '/', '1e5', '0x10', '١', 'x'.repeat(70_000), [], {}, NESTED, [null], { a: { b: {} } }],
  ),
  fc.constantFrom(...KNOWN_NAMES),
  fc.jsonValue() as Arbitrary<Json>,
)

const known = (extra: readonly string[]): Arbitrary<string> => fc.constantFrom(...KNOWN_NAMES, ...extra)

/** Values that a schema asks for, more or less. */
export function likely(schema: Schema, names: readonly string[] = []): Arbitrary<Json> {
  const options = schema['anyOf'] as readonly Schema[] | undefined
  if (options !== undefined) return fc.oneof(...options.map((option) => likely(option, names)))
  if ('const' in schema) return fc.constant(schema['const'] as Json)
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as Json[]))
  switch (schema['type']) {
    case 'string':
      return fc.oneof({ weight: 3, arbitrary: known(names) }, { weight: 1, arbitrary: fc.string() })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'integer':
      return fc.integer({ min: Number(schema['minimum'] ?? -5), max: Number(schema['maximum'] ?? 1000) })
    case 'number':
      return fc.oneof(fc.integer({ min: -5, max: 5000 }), fc.double({ min: -10, max: 10, noNaN: true }))
    case 'array':
      return fc.array(likely((schema['items'] ?? {}) as Schema, names), { maxLength: 4 })
    case 'object':
      return likelyObject(schema, names)
    default:
      return oddValue
  }
}

function likelyObject(schema: Schema, names: readonly string[]): Arbitrary<Json> {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>)
  const fields = Object.fromEntries(properties.map(([name, field]) => [name, likely(field, names)]))
  const [mapped] = Object.values((schema['patternProperties'] ?? {}) as Readonly<Record<string, Schema>>)
  if (mapped !== undefined) return fc.dictionary(known(names), likely(mapped, names), { maxKeys: 4 })
  return fc.record(fields, { requiredKeys: (schema['required'] ?? []) as string[] })
}

const ODD_NAMES = ['__proto__', 'constructor', 'toString', '', 'x'.repeat(1000), '\u0000']

/** The value with one place of it replaced, left out, or with a field it should not have. */
export function nearMiss(value: Json): Arbitrary<Json> {
  if (typeof value !== 'object' || value === null) return oddValue
  if (Array.isArray(value))
    return fc.oneof(
      oddValue,
      fc.constant([...value, ...value]),
      oddValue.map((odd) => [odd, ...value]),
    )
  const entries = Object.entries(value as Readonly<Record<string, Json>>)
  const added = fc
    .tuple(fc.constantFrom(...ODD_NAMES), oddValue)
    .map(([name, odd]) => Object.fromEntries<Json>([...entries, [name, odd]]))
  if (entries.length === 0) return added
  const changed = fc.nat(entries.length - 1).chain((at) =>
    fc.oneof(
      fc.constant(Object.fromEntries<Json>(entries.filter((_, index) => index !== at))),
      nearMiss(entries[at]?.[1] ?? null).map((odd) =>
        Object.fromEntries<Json>(entries.map(([name, kept], index) => [name, index === at ? odd : kept])),
      ),
    ),
  )
  return fc.oneof(added, { weight: 4, arbitrary: changed })
}

import type { TSchema } from '@sinclair/typebox'

/** Allowed values in words: choices, or the limits with the unit. */
export function allowedValues(schema: Readonly<Record<string, unknown>>, unit = ''): string {
  const options = schema['enum']
  if (Array.isArray(options)) return options.map((option) => `\`${String(option)}\``).join(', ')
  const limits = [
    schema['minimum'] === undefined ? [] : [`≥ ${String(schema['minimum'])}`],
    schema['exclusiveMinimum'] === undefined ? [] : [`> ${String(schema['exclusiveMinimum'])}`],
    schema['maximum'] === undefined ? [] : [`≤ ${String(schema['maximum'])}`],
  ].flat()
  return [...(schema['type'] === undefined ? [] : [String(schema['type'])]), ...limits, unit].join(' ').trim()
}

/** Names of an object's fields; for anything else its type. */
export const fieldNames = (schema: TSchema, otherwise: string): string => {
  const properties = schema['properties'] as Readonly<Record<string, TSchema>> | undefined
  return properties === undefined ? otherwise : `{ ${Object.keys(properties).join(', ')} }`
}

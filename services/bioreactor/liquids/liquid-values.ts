import { BIOREACTOR_VARIABLES, type BioreactorVariable } from '../../../events/bioreactor/liquids.js'
import { InvalidInput } from '../../../events/core/errors.js'
import type { LiquidValues } from './liquid-book.js'

const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/

/** What a client sent, by variable: numbers, texts that are numbers, and true or false for 1 or 0, as a Pioreactor takes them. Ranges are checked where
 * the capacity is known. @throws InvalidInput naming the variable */
export function liquidValues(given: Readonly<Record<string, unknown>>): LiquidValues {
  const entries = Object.entries(given).map(([name, value]) => {
    if (!isVariable(name)) throw unknown(name)
    const number = typeof value === 'boolean' ? Number(value) : decimal(value)
    if (Number.isFinite(number)) return [name, number]
    throw new InvalidInput(`${name} is ${JSON.stringify(value)}; it must be a number.`, {
      details: { field: name, value },
    })
  })
  if (entries.length > 0) return Object.fromEntries(entries)
  throw new InvalidInput('Missing bioreactor values: `values` is empty.', {
    remediation: 'Name at least one, such as {"values": {"current_volume_ml": 12.5}}.',
    details: { field: 'values', known: [...BIOREACTOR_VARIABLES] },
  })
}

const isVariable = (name: string): name is BioreactorVariable =>
  BIOREACTOR_VARIABLES.some((variable) => variable === name)

const unknown = (name: string) =>
  new InvalidInput(`A vial has no value '${name}'; it has ${BIOREACTOR_VARIABLES.join(', ')}.`, {
    details: { field: name, known: [...BIOREACTOR_VARIABLES] },
  })

/** A number, or a text that is one; else not a number. */
export function decimal(value: unknown): number {
  if (typeof value === 'string') return DECIMAL.test(value) ? Number(value) : Number.NaN
  return typeof value === 'number' ? value : Number.NaN
}

/** As Python writes it, which clients show: `14.0 mL`, `0.3`. */
export const valueText = (name: BioreactorVariable, value: number): string =>
  `${Number.isInteger(value) ? value.toFixed(1) : value}${name === 'alt_media_fraction' ? '' : ' mL'}`

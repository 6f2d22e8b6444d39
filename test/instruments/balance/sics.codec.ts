/** The basic commands of MT-SICS, which balances of several makers speak: lines of ASCII that end with CR LF. Only what this example uses. */

export const COMMANDS = {
  /** The present mass, stable or not. */
  read: 'SI',
  /** Takes the present mass as zero, stable or not. */
  tare: 'TI',
  /** Breaks off whatever the balance does; answered with its serial number. */
  cancel: '@',
} as const

/** What a balance answers. Masses in g. */
export type Reply =
  | { readonly kind: 'mass'; readonly mass: number; readonly isStable: boolean }
  | { readonly kind: 'overload' | 'underload' | 'busy' }
  | { readonly kind: 'identity'; readonly serialNumber: string }
  | { readonly kind: 'unreadable'; readonly line: string }

const GRAMS: Readonly<Record<string, number>> = { mg: 0.001, g: 1, kg: 1000 }

const MASS = /^(?:S|TI) ([SD]) +(-?\d+(?:\.\d+)?) (\w+)$/
const NO_MASS = /^(?:S|TI) ([+-I])$/
const IDENTITY = /^I4 A "([^"]*)"$/

/** @param line without its end. */
export function decodeReply(line: string): Reply {
  const [, status, value, unit = ''] = MASS.exec(line) ?? []
  const grams = GRAMS[unit]
  if (value !== undefined && grams !== undefined) {
    return { kind: 'mass', mass: Number((Number(value) * grams).toFixed(6)), isStable: status === 'S' }
  }
  const reason = NO_MASS.exec(line)?.[1]
  if (reason === '+') return { kind: 'overload' }
  if (reason === '-') return { kind: 'underload' }
  if (reason === 'I') return { kind: 'busy' }
  const serialNumber = IDENTITY.exec(line)?.[1]
  return serialNumber === undefined ? { kind: 'unreadable', line } : { kind: 'identity', serialNumber }
}

/** The other half, for the twin: `S S` or `TI D`, the mass in ten characters, the unit. */
export const encodeMass = (id: 'S' | 'TI', mass: number, isStable: boolean): string =>
  `${id} ${isStable ? 'S' : 'D'} ${mass.toFixed(3).padStart(10)} g`

import { type SessionField, SessionRefused } from '../../../events/bioreactor/calibration-sessions.js'

/** Values of a form, read by the names of its fields. */
export interface Inputs {
  text(name: string): string
  number(name: string): number
  flag(name: string): boolean
  numbers(name: string): readonly number[]
  /** Sent by a button beside the form; null without one. */
  readonly action: string | null
}

type Value = string | number | boolean | readonly number[]
type Limits = Partial<Pick<SessionField, 'minimum' | 'maximum' | 'min_error_msg' | 'max_error_msg'>>
type More = Limits & { readonly default?: Value; readonly help?: string; readonly options?: readonly string[] }

const field =
  (field_type: SessionField['field_type']) =>
  (name: string, label: string, { default: standard, help, options, ...limits }: More = {}): SessionField => ({
    name,
    label,
    field_type,
    required: true,
    default: standard ?? null,
    options: options === undefined ? null : [...options],
    minimum: null,
    maximum: null,
    min_error_msg: null,
    max_error_msg: null,
    ...limits,
    help_text: help ?? null,
  })

const boolField = field('bool')

/** What a form can ask for. */
export const fields = {
  text: field('string'),
  number: field('float'),
  numbers: field('float_list'),
  choice: field('choice'),
  flag: (name: string, label: string, more: More = {}) => boolField(name, label, { ...more, options: ['yes', 'no'] }),
}

/** More points than anybody measures by hand. */
const MAX_NUMBERS = 100
const MAX_TEXT = 1000

/** What was given to a form, each field read by its type: numbers may be texts, and what is left out has its default.
 * @throws SessionRefused naming the field, the value and the limit. Source: Pioreactor 26.7 calibration sessions. */
export function readInputs(form: readonly SessionField[], given: Readonly<Record<string, unknown>>): Inputs {
  const values = new Map(form.map((asked) => [asked.name, readField(asked, given[asked.name])]))
  const reader =
    <T extends Value>(is: (value: unknown) => value is T) =>
    (name: string): T => {
      const value = values.get(name)
      if (!is(value)) throw new Error(`The form has no field '${name}' of this type.`)
      return value
    }
  const { action } = given
  return {
    text: reader((value): value is string => typeof value === 'string'),
    number: reader((value): value is number => typeof value === 'number'),
    flag: reader((value): value is boolean => typeof value === 'boolean'),
    numbers: reader((value): value is readonly number[] => Array.isArray(value)),
    action: typeof action === 'string' ? action.trim() : null,
  }
}

function readField(asked: SessionField, given: unknown): Value {
  const value = isAbsent(given) ? asked.default : given
  if (isAbsent(value)) throw refused(asked, 'is missing')
  switch (asked.field_type) {
    case 'string':
      return readText(asked, value)
    case 'choice':
      return readChoice(asked, value)
    case 'bool':
      return readFlag(asked, value)
    case 'float':
      return readNumber(asked, value)
    case 'int':
      return Math.trunc(readNumber(asked, value))
    case 'float_list':
      return readNumbers(asked, value)
  }
}

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '')

function readText(asked: SessionField, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw refused(asked, `is ${show(value)}; it must be text`)
  const text = String(value).trim()
  if (text.length > MAX_TEXT) throw refused(asked, `has ${text.length} characters; it may have ${MAX_TEXT}`)
  return text
}

function readChoice(asked: SessionField, value: unknown): string {
  const text = readText(asked, value)
  const options = asked.options ?? []
  if (!options.includes(text)) throw refused(asked, `is ${show(text)}; allowed are ${options.join(', ')}`)
  return text
}

const TRUE = ['true', 'yes', '1', 'y']
const FALSE = ['false', 'no', '0', 'n']

function readFlag(asked: SessionField, value: unknown): boolean {
  const text = String(value).trim().toLowerCase()
  if (TRUE.includes(text)) return true
  if (FALSE.includes(text)) return false
  throw refused(asked, `is ${show(value)}; it must be yes or no`)
}

function readNumber(asked: SessionField, value: unknown): number {
  const { minimum, maximum, min_error_msg, max_error_msg } = asked
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value.trim()) : Number.NaN
  if (!Number.isFinite(number)) throw refused(asked, `is ${show(value)}; it must be a number`)
  if (minimum !== null && number < minimum) {
    throw refused(asked, `is ${number}; it must be at least ${minimum}`, min_error_msg)
  }
  if (maximum !== null && number > maximum) {
    throw refused(asked, `is ${number}; it must be at most ${maximum}`, max_error_msg)
  }
  return number
}

function readNumbers(asked: SessionField, value: unknown): readonly number[] {
  const parts: unknown = typeof value === 'string' ? value.split(',') : typeof value === 'number' ? [value] : value
  if (!Array.isArray(parts)) throw refused(asked, `is ${show(value)}; it must be numbers with commas between them`)
  if (parts.length === 0) throw refused(asked, 'is empty; it must have a number')
  if (parts.length > MAX_NUMBERS) throw refused(asked, `has ${parts.length} numbers; it may have ${MAX_NUMBERS}`)
  return parts.map((part: unknown) => {
    if (isAbsent(part)) throw refused(asked, 'has a comma without a number')
    return readNumber(asked, part)
  })
}

const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80)

function refused({ name, minimum, maximum }: SessionField, problem: string, message: string | null = null) {
  return new SessionRefused(message ?? `${name} ${problem}.`, { details: { field: name, minimum, maximum } })
}

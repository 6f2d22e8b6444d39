import type {
  ModeDeclaration,
  ParameterAdjustment,
  ParameterIssue,
  ParameterSpec,
  ParameterValue,
  ValidatedParameters,
} from './define-mode.js'
import { applyRule, isEmpty, type RuleContext, suppliedByRule } from './mode-rules.js'

/** What else an order says; without it currents are not compared with a range. */
export interface OrderContext {
  /** 0–3; beyond its full scale a current is an error. */
  readonly tiaGain?: number
}

/** Checks and normalises raw parameters, as a form or a program sends them. Pure; never throws. Nothing is clamped: a value is
 * taken as it is, reported in `adjustments` when its form changed, or refused.
 * Issues come by field in order of declaration, then by rule, then unknown fields. */
export function validateParameters(
  declaration: ModeDeclaration,
  raw: Readonly<Record<string, unknown>>,
  order: OrderContext = {},
): ValidatedParameters {
  const errors: ParameterIssue[] = []
  const warnings: ParameterIssue[] = []
  const adjustments: ParameterAdjustment[] = []
  const params: Record<string, ParameterValue> = {}
  const used = new Set<string>()
  /** What the client calls a field: issues name it so. */
  const sentAs = (field: string): string => {
    const names = [field, ...(declaration.parameters[field]?.aliases ?? [])].filter((name) => Object.hasOwn(raw, name))
    return names.find((name) => !isEmpty(raw[name])) ?? names[0] ?? field
  }

  for (const [field, spec] of Object.entries(declaration.parameters)) {
    const names = [field, ...(spec.aliases ?? [])]
    const key = names.find((name) => Object.hasOwn(raw, name) && !isEmpty(raw[name]))
    if (key === undefined) {
      const name = sentAs(field)
      if (spec.default !== undefined) params[field] = spec.default
      else if (!suppliedByRule(declaration.rules, field, raw)) errors.push(missing(name, spec))
      for (const each of names) used.add(each)
      continue
    }
    used.add(key)
    const given = raw[key]
    const value = readValue(key, spec, given, errors)
    if (value === undefined) continue
    const outside = limitErrors(key, spec, value)
    errors.push(...outside)
    if (outside.length > 0) continue
    params[field] = value
    warnings.push(...limitWarnings(key, spec, value))
    if (key !== field) adjustments.push({ field, from: given, to: value, reason: `given as ${key}` })
    else if (changed(given, value)) adjustments.push({ field, from: given, to: value, reason: reasonOf(given) })
  }

  const context: RuleContext = { raw, params, errors, warnings, adjustments, used, sentAs, tiaGain: order.tiaGain }
  for (const rule of declaration.rules) applyRule(declaration, rule, context)
  for (const field of Object.keys(raw)) {
    if (used.has(field) || isEmpty(raw[field])) continue
    if (isLimit(field)) {
      const message = `${field} ends no measurement of mode ${declaration.mode}; leave it out.`
      if (finiteNumber(raw[field]) !== 0) errors.push({ field, code: 'not_applicable', message })
      continue
    }
    const message = `${field} is not a parameter of ${declaration.mode}, or stands beside the parameter it is an alias of; it is ignored.`
    warnings.push({ field, code: 'unknown_field', message })
  }
  return { ok: errors.length === 0, errors, warnings, params, adjustments }
}

/** Limits that some modes have. In a mode that would ignore them they are refused: a client that sends one relies on it. */
const isLimit = (field: string): boolean => /^(voltage_cutoff|charge_cutoff)(_[vc])?$|^potential_(min|max)$/.test(field)

/** Type of a parameter as the box API spells it. */
export function parameterTypeText(spec: ParameterSpec): string {
  switch (spec.type) {
    case 'integer':
      return "<class 'int'>"
    case 'choice':
      return "<class 'str'>"
    case 'numbers':
      return 'typing.List[float]'
    case 'number':
      return spec.default === null ? 'typing.Optional[float]' : "<class 'float'>"
  }
}

const missing = (field: string, spec: ParameterSpec): ParameterIssue => ({
  field,
  code: 'missing_field',
  message: `${field}${spec.unit === undefined ? '' : ` (${spec.unit})`} is missing. ${spec.doc}`,
})

/** Longest list of a mode: checking it must not block the process that checks. */
const MAX_ITEMS = 10_000

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** A finite number from a number or decimal text; undefined for everything else, booleans included. */
export function finiteNumber(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.trim() : null
  const number = text === null ? value : DECIMAL.test(text) ? Number(text) : undefined
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** Value of the declared type, or undefined with the issue added to `errors`. */
function readValue(
  field: string,
  spec: ParameterSpec,
  given: unknown,
  errors: ParameterIssue[],
): ParameterValue | undefined {
  const refuse = (name: string, code: string, value: unknown, expected: string): undefined => {
    errors.push({ field: name, code, message: `${name} is ${show(value)}; it must be ${expected}.` })
    return undefined
  }
  const inUnit = spec.unit === undefined ? '' : ` in ${spec.unit}`
  switch (spec.type) {
    case 'numbers': {
      if (!Array.isArray(given)) return refuse(field, 'not_a_list', given, `a list of numbers${inUnit}`)
      if (given.length === 0) return refuse(field, 'too_few_items', given, 'a list of at least 1 number')
      if (given.length > MAX_ITEMS) {
        const message = `${field} has ${given.length} items; it must have at most ${MAX_ITEMS}.`
        errors.push({ field, code: 'too_many_items', message })
        return undefined
      }
      const before = errors.length
      const values = given.map(
        (item: unknown, index) =>
          finiteNumber(item) ?? refuse(`${field}[${index}]`, 'not_a_number', item, `a finite number${inUnit}`) ?? 0,
      )
      return errors.length === before ? values : undefined
    }
    case 'choice': {
      const choice = choiceOf(spec, given)
      return choice ?? refuse(field, 'invalid_choice', given, `one of ${(spec.choices ?? []).join(', ')}`)
    }
    case 'integer': {
      const value = finiteNumber(given)
      if (value !== undefined && Number.isSafeInteger(value)) return value
      return refuse(field, 'not_an_integer', given, `an integer${inUnit}`)
    }
    case 'number': {
      const words = (spec.choices ?? []).map((choice) => `, or '${choice}'`).join('')
      return (
        choiceOf(spec, given) ??
        finiteNumber(given) ??
        refuse(field, 'not_a_number', given, `a finite number${inUnit}${words}`)
      )
    }
  }
}

function choiceOf(spec: ParameterSpec, given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined
  const text = given.trim().toLowerCase()
  return spec.choices?.find((choice) => choice === text) ?? spec.spellings?.[text]
}

/** Each number of a value with the name an issue gives it. */
function numbersOf(field: string, value: ParameterValue): readonly (readonly [string, number])[] {
  if (typeof value === 'number') return [[field, value]]
  return Array.isArray(value) ? value.map((item: number, index) => [`${field}[${index}]`, item] as const) : []
}

function limitErrors(field: string, spec: ParameterSpec, value: ParameterValue): readonly ParameterIssue[] {
  const unit = spec.unit === undefined ? '' : ` ${spec.unit}`
  const issues: ParameterIssue[] = []
  for (const [name, number] of numbersOf(field, value)) {
    const broken =
      spec.positive === true && number <= 0
        ? (['must_be_positive', `above 0${unit}`] as const)
        : spec.min !== undefined && number < spec.min
          ? (['min_value', `at least ${spec.min}${unit}`] as const)
          : spec.max !== undefined && number > spec.max
            ? (['max_value', `at most ${spec.max}${unit}`] as const)
            : null
    if (broken === null) continue
    issues.push({ field: name, code: broken[0], message: `${name} is ${number}${unit}; it must be ${broken[1]}.` })
  }
  return issues
}

function limitWarnings(field: string, spec: ParameterSpec, value: ParameterValue): readonly ParameterIssue[] {
  const unit = spec.unit === undefined ? '' : ` ${spec.unit}`
  const issues: ParameterIssue[] = []
  for (const [name, number] of numbersOf(field, value)) {
    for (const { code, above = Number.POSITIVE_INFINITY, below = 0, text } of spec.warn ?? []) {
      const size = Math.abs(number)
      if (size <= above && size >= below) continue
      const limit = size > above ? `above ${above}${unit}` : `below ${below}${unit}`
      issues.push({ field: name, code, message: `${name} is ${number}${unit}, ${limit}: ${text}` })
    }
  }
  if (Array.isArray(value) && spec.warnItemsAbove !== undefined && value.length > spec.warnItemsAbove) {
    const message = `${field} has ${value.length} items, more than ${spec.warnItemsAbove}.`
    issues.push({ field, code: 'high_value', message })
  }
  return issues
}

const changed = (given: unknown, value: ParameterValue): boolean =>
  Array.isArray(given) && Array.isArray(value) ? given.some((item, index) => item !== value[index]) : given !== value

const reasonOf = (given: unknown): string =>
  typeof given === 'string' && finiteNumber(given) === undefined ? 'spelling' : 'text read as a number'

const show = (value: unknown): string => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

import type {
  DurationFormula,
  ModeDeclaration,
  ModeRule,
  ParameterAdjustment,
  ParameterIssue,
  ParameterValue,
} from './define-mode.js'

/** State of one validation, which the rules read and add to. */
export interface RuleContext {
  readonly raw: Readonly<Record<string, unknown>>
  readonly params: Record<string, ParameterValue>
  readonly errors: ParameterIssue[]
  readonly warnings: ParameterIssue[]
  readonly adjustments: ParameterAdjustment[]
  /** Keys of `raw` that mean something. */
  readonly used: Set<string>
  /** What the client calls a field. */
  sentAs(field: string): string
  readonly tiaGain: number | undefined
}

/** Whether an absent field gets its value from a rule. */
export const suppliedByRule = (
  rules: readonly ModeRule[],
  field: string,
  raw: Readonly<Record<string, unknown>>,
): boolean =>
  rules.some(
    (rule) =>
      (rule.kind === 'default_from' && rule.field === field) ||
      (rule.kind === 'required_when' && rule.field === field) ||
      (rule.kind === 'density_from_points' && rule.field === field && isNumeric(raw[rule.points])),
  )

/** Evaluates one rule; a rule whose fields are missing or wrong says nothing. */
export function applyRule(declaration: ModeDeclaration, rule: ModeRule, context: RuleContext): void {
  const { params, errors, warnings } = context
  switch (rule.kind) {
    case 'default_from': {
      const source = params[rule.from]
      if ((params[rule.field] ?? null) === null && source !== undefined) params[rule.field] = source
      return
    }
    case 'density_from_points':
      densityFromPoints(rule, context)
      return
    case 'not_all_equal': {
      const values = rule.fields.map((field) => params[field])
      const { whenAbove } = rule
      if (values.some((value) => typeof value !== 'number' || value !== values[0])) return
      if (whenAbove !== undefined && numberOf(params[whenAbove.field]) <= whenAbove.limit) return
      const unit = declaration.parameters[rule.field]?.unit ?? ''
      const names = rule.fields.map((field) => context.sentAs(field)).join(', ')
      const message = `${names} are all ${String(values[0])} ${unit}; they must differ for a sweep.`
      const issue = { field: context.sentAs(rule.field), code: 'zero_sweep', message }
      ;(rule.severity === 'error' ? errors : warnings).push(issue)
      return
    }
    case 'required_when': {
      const field = context.sentAs(rule.field)
      if (params[rule.when.field] !== rule.when.is || !isEmpty(context.raw[field])) return
      const { unit, doc = '' } = declaration.parameters[rule.field] ?? {}
      const inUnit = unit === undefined ? '' : ` (${unit})`
      const message = `${field}${inUnit} is missing; ${context.sentAs(rule.when.field)} ${rule.when.is} needs it. ${doc}`
      errors.push({ field, code: 'missing_field', message })
      return
    }
    case 'ascending': {
      const [low, high] = [params[rule.low], params[rule.high]]
      if (typeof low !== 'number' || typeof high !== 'number' || low < high) return
      const unit = declaration.parameters[rule.low]?.unit ?? ''
      const message = `${rule.low} is ${low} ${unit}; it must be below ${rule.high}, which is ${high} ${unit}.`
      errors.push({ field: rule.low, code: 'max_value', message })
      return
    }
    case 'distinct_values': {
      const value = params[rule.field]
      if (!Array.isArray(value) || new Set(value).size >= rule.atLeast) return
      const field = context.sentAs(rule.field)
      const message = `${field} has fewer than ${rule.atLeast} distinct values: ${rule.text}`
      warnings.push({ field, code: 'too_few_items', message })
      return
    }
    case 'within_current_range':
      withinCurrentRange(declaration, rule, context)
      return
    case 'total_duration': {
      const seconds = durationS(rule.formula, params)
      if (!(seconds > rule.warnAboveS)) return
      const tooLong = seconds > rule.maxS
      const limit = tooLong ? rule.maxS : rule.warnAboveS
      const field = context.sentAs(rule.field)
      const message = `${field} makes the measurement last ${Number(seconds.toPrecision(6))} s, more than ${limit} s.`
      ;(tooLong ? errors : warnings).push({ field, code: 'too_long', message })
    }
  }
}

function densityFromPoints(rule: ModeRule & { kind: 'density_from_points' }, context: RuleContext): void {
  const { raw, params, errors, adjustments, used } = context
  const given = raw[rule.points]
  if (params[rule.field] !== undefined || !isNumeric(given)) return
  used.add(rule.points)
  const points = Number(given)
  if (!Number.isSafeInteger(points) || points < 1 || points > 1000) {
    const message = `${rule.points} is ${points}; it must be an integer from 1 to 1000.`
    errors.push({ field: rule.points, code: Number.isSafeInteger(points) ? 'max_value' : 'not_an_integer', message })
    return
  }
  const decades = Math.abs(Math.log10(numberOf(params[rule.end])) - Math.log10(numberOf(params[rule.start])))
  if (Number.isNaN(decades)) return
  const density = decades === 0 ? 1 : Math.min(50, Math.max(1, Math.round((points - 1) / decades)))
  params[rule.field] = density
  adjustments.push({ field: rule.field, from: given, to: density, reason: `computed from ${rule.points}` })
}

function withinCurrentRange(
  declaration: ModeDeclaration,
  rule: ModeRule & { kind: 'within_current_range' },
  { params, errors, warnings, sentAs, tiaGain }: RuleContext,
): void {
  const { amperePerUnit = 1, when } = rule
  if (tiaGain === undefined || (when !== undefined && params[when.field] !== when.is)) return
  const fullScale = (rule.fullScaleA[tiaGain] ?? Number.POSITIVE_INFINITY) / amperePerUnit
  const step = (rule.stepA[tiaGain] ?? 0) / amperePerUnit
  const inUnit = (value: number, unit: string): string => `${Number(value.toPrecision(6))} ${unit}`
  for (const field of rule.fields) {
    const value = params[field]
    const unit = declaration.parameters[field]?.unit ?? 'A'
    const list = Array.isArray(value) ? (value as readonly number[]) : null
    for (const [index, current] of (list ?? [numberOf(value ?? null)]).entries()) {
      const name = list === null ? sentAs(field) : `${sentAs(field)}[${index}]`
      const size = Math.abs(current)
      if (size > fullScale) {
        const message = `${name} is ${current} ${unit}; at gain ${tiaGain} it must be within ±${inUnit(fullScale, unit)}.`
        errors.push({ field: name, code: 'exceeds_range', message })
      } else if (size > 0 && size < step) {
        const message = `${name} is ${current} ${unit}, less than one step of ${inUnit(step, unit)} at gain ${tiaGain}.`
        warnings.push({ field: name, code: 'below_resolution', message })
      }
    }
  }
}

/** Seconds, or NaN when a value it needs is missing. */
function durationS(formula: DurationFormula, params: Readonly<Record<string, ParameterValue>>): number {
  if (formula.kind === 'product') {
    return formula.factors.reduce<number>((product, factor) => {
      const value = typeof factor === 'string' ? params[factor] : factor
      return product * (Array.isArray(value) ? value.length : numberOf(value))
    }, 1)
  }
  const at = (field: string): number => numberOf(params[field])
  let length = 0
  for (const [index, field] of formula.path.entries()) {
    const previous = formula.path[index - 1]
    if (previous !== undefined) length += Math.abs(at(field) - at(previous))
  }
  if (formula.between !== undefined && formula.cycles !== undefined) {
    const [a, b] = formula.between
    length += 2 * Math.max(0, at(formula.cycles) - 1) * Math.abs(at(a) - at(b))
  }
  const rate = params[formula.rate]
  const rates = Array.isArray(rate) ? (rate as readonly number[]) : [numberOf(rate)]
  return rates.reduce((sum, each) => sum + length / each, 0)
}

/** Whether a form left the field empty. */
export const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === 'string' && value.trim() === '')

const numberOf = (value: ParameterValue | undefined): number => (typeof value === 'number' ? value : Number.NaN)

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))

import type { OrderOf } from '../../../events/core/define-command.js'
import { InvalidInput } from '../../../events/core/errors.js'
import type { ParameterIssue, ParameterValues } from '../../../events/define-mode.js'
import type { startRunCommand } from '../../../events/potentiostat/commands.js'
import { InvalidName, InvalidRunParameters } from '../../../events/potentiostat/errors.js'
import type { RunMode } from '../../../events/potentiostat/run-order.js'
import { runNames } from '../../../events/run-names.js'
import type { RunWarning } from '../../../events/run-warnings.js'
import { RUN_ID_PATTERN } from '../../../events/topic.js'
import { validateParameters } from '../../../events/validate-mode.js'
import { type MeasurementPlan, plannedSeconds, rowsOf } from '../acquisition/plan.js'
import { NOMINAL_PERIOD_S, tiaOhms } from '../device/registers.js'
import { averagingFactor } from '../evaluation/samples.js'
import { MAX_DURATION_S } from '../modes/declare.js'
import { findMode, modes } from '../modes/index.js'

export type StartRun = OrderOf<typeof startRunCommand>

/** An order whose every parameter is valid, with its modes planned to the sample. */
export interface PlannedOrder {
  readonly modes: readonly RunMode[]
  readonly plans: readonly MeasurementPlan[]
  readonly gain: Gain
  readonly average: number
  readonly warnings: readonly RunWarning[]
}

/** 0–3; `auto` is chosen by a probe for each mode, null leaves the device's gain. */
export type Gain = number | 'auto' | null

const HIGHEST_GAIN = tiaOhms.length - 1

/** A run's state lists every mode that is over, so its length is bounded with theirs. */
const MAX_MODES = 100
/** A measurement with fewer is warned of. */
const FEWEST_ROWS = 10
/** Issues that are listed one by one. */
const MAX_ISSUES = 100

interface OrderIssue extends ParameterIssue {
  readonly mode?: string
}

/** Checks everything an order says about measuring, before anything moves. Pure.
 * @param nullGain what `tia_gain: null` means: `auto`, or that the device's is kept.
 * @throws InvalidRunParameters with all issues in `details.errors`. */
export function planOrder(
  request: Pick<StartRun, 'modes' | 'params_by_mode' | 'tia_gain' | 'sampling_interval'>,
  nullGain: 'auto' | 'keep' = 'auto',
): PlannedOrder {
  const errors: OrderIssue[] = []
  const warnings: RunWarning[] = []
  const gain = readGain(request.tia_gain ?? (nullGain === 'auto' ? 'auto' : null), errors, warnings)
  const average = readInterval(request.sampling_interval, errors, warnings)
  if (request.modes.length > MAX_MODES) {
    const message = `modes has ${request.modes.length} items; it must have at most ${MAX_MODES}.`
    errors.push({ field: 'modes', code: 'too_many_items', message })
  }
  const planned = request.modes.slice(0, MAX_MODES).flatMap((name, index) => {
    const found = findMode(name)
    if (found === undefined) {
      const names = modes.map(({ declaration }) => declaration.mode).join(', ')
      errors.push({ field: `modes[${index}]`, code: 'invalid_choice', message: `Mode '${name}' is none of ${names}.` })
      return []
    }
    const { declaration } = found
    const raw = request.params_by_mode[name] ?? request.params_by_mode[declaration.mode] ?? {}
    const validated = validateParameters(declaration, raw, typeof gain === 'number' ? { tiaGain: gain } : {})
    const repeated = request.modes.indexOf(name) !== index
    if (!repeated) {
      errors.push(...validated.errors.map((issue) => ({ ...issue, mode: declaration.mode })))
      warnings.push(...validated.warnings.map(({ code, message }) => ({ code, message, mode_index: index })))
    }
    if (!validated.ok) return []
    const plan = found.plan(validated.params)
    const length = lengthIssue(plan, Object.keys(declaration.parameters).at(-1) ?? declaration.mode)
    if (length !== null) {
      if (!repeated) errors.push({ ...length, mode: declaration.mode })
      return []
    }
    if (!repeated) warnings.push(...fewRows(index, plan, average, request.sampling_interval))
    return [{ plan, mode: runMode(declaration, plan, validated.params, average) }]
  })
  if (errors.length > 0) {
    const texts = errors.map(({ mode, message }) => (mode === undefined ? message : `${mode}: ${message}`))
    const details = { errors: errors.slice(0, MAX_ISSUES) }
    throw new InvalidRunParameters(firstTexts(texts).join(' '), { details })
  }
  return {
    modes: planned.map(({ mode }) => mode),
    plans: planned.map(({ plan }) => plan),
    gain,
    average,
    warnings: firstWarnings(warnings),
  }
}

const RUN_ID = new RegExp(RUN_ID_PATTERN)

/** Checks that a run and its folders can be called so. Pure. @throws InvalidName naming the field */
export function checkNames(order: Pick<StartRun, 'run_id' | 'experiment_name' | 'subdir' | 'client_datetime'>): void {
  const { run_id } = order
  if (!RUN_ID.test(run_id)) {
    throw new InvalidName(
      `The run name '${run_id.slice(0, 80)}' must have 1 to 80 characters of A-Z, a-z, 0-9, _, - and ., and not begin with a dot.`,
      { details: { field: 'run_id' } },
    )
  }
  try {
    runNames(order)
  } catch (error) {
    throw error instanceof InvalidInput ? new InvalidName(error.message, { details: error.details }) : error
  }
}

/** The first texts, and how many there are besides. */
const firstTexts = (texts: readonly string[]): readonly string[] =>
  texts.length <= MAX_ISSUES
    ? texts
    : [...texts.slice(0, MAX_ISSUES), `There are ${texts.length - MAX_ISSUES} more errors.`]

const firstWarnings = (warnings: readonly RunWarning[]): readonly RunWarning[] => {
  const more = warnings.length - MAX_ISSUES
  if (more <= 0) return warnings
  return [...warnings.slice(0, MAX_ISSUES), { code: 'too_many_items', message: `There are ${more} more warnings.` }]
}

const runMode = (
  { mode, columns, plot }: (typeof modes)[number]['declaration'],
  plan: MeasurementPlan,
  params: ParameterValues,
  average: number,
): RunMode => ({
  mode,
  params,
  rows: rowsOf(plan, average),
  planned_s: plannedSeconds(plan),
  columns: [...(plan.columns ?? columns)],
  plot,
})

/** What only the exact sample count shows. */
function lengthIssue(plan: MeasurementPlan, field: string): ParameterIssue | null {
  if (plan.samples < 1) {
    const message = `The measurement is shorter than one sample of ${NOMINAL_PERIOD_S} s.`
    return { field, code: 'min_value', message }
  }
  const seconds = plannedSeconds(plan)
  if (seconds <= MAX_DURATION_S) return null
  const message = `The measurement would last ${Math.round(seconds)} s; it must be at most ${MAX_DURATION_S} s.`
  return { field, code: 'too_long', message }
}

/** An interval that leaves little of a measurement. */
function fewRows(
  modeIndex: number,
  plan: MeasurementPlan,
  average: number,
  interval: number | null,
): readonly RunWarning[] {
  if (plan.control === 'impedance' || interval === null || average * FEWEST_ROWS <= plan.samples) return []
  const seconds = Number((plan.samples * NOMINAL_PERIOD_S).toPrecision(3))
  const message = `sampling_interval is ${interval} s, above a tenth of the measurement's ${seconds} s: it gets ${rowsOf(plan, average)} rows.`
  return [{ code: 'high_value', message, mode_index: modeIndex }]
}

function readGain(gain: Gain, errors: OrderIssue[], warnings: RunWarning[]): Gain {
  if (gain === null || gain === 'auto') return gain
  if (gain >= 0 && gain <= HIGHEST_GAIN) return gain
  if (gain === HIGHEST_GAIN + 1) {
    warnings.push({ code: 'clamped', message: `tia_gain ${gain} acts as ${HIGHEST_GAIN}.` })
    return HIGHEST_GAIN
  }
  const message = `tia_gain is ${gain}; it must be an integer from 0 to ${HIGHEST_GAIN}, or 'auto'.`
  errors.push({ field: 'tia_gain', code: gain < 0 ? 'min_value' : 'max_value', message })
  return null
}

function readInterval(interval: number | null, errors: OrderIssue[], warnings: RunWarning[]): number {
  if (interval !== null && !(interval > 0)) {
    const message = `sampling_interval is ${interval} s; it must be above 0 s.`
    errors.push({ field: 'sampling_interval', code: 'must_be_positive', message })
    return 1
  }
  if (interval !== null && interval < NOMINAL_PERIOD_S) {
    const message = `sampling_interval is ${interval} s; samples come every ${NOMINAL_PERIOD_S} s at most.`
    warnings.push({ code: 'clamped', message })
  }
  return averagingFactor(interval)
}

import type { ModeReport } from '../../events/potentiostat/mode-report.js'
import type { RunOrder } from '../../events/potentiostat/run-order.js'
import type { SlotState } from '../../events/potentiostat/run-state.js'
import type { SampleLoss } from '../../events/potentiostat/samples.js'
import { codedWarnings, type RecordedWarnings } from '../../events/run-warnings.js'

/** What else is known of one mode's data, as JSON text beside the CSV: parameters, gain, sample period, device, losses, outcome. */
export function sidecar(
  order: RunOrder,
  state: SlotState,
  modeIndex: number,
  rows: number,
  losses: readonly SampleLoss[],
): string {
  const mode = order.modes[modeIndex]
  const report = state.reports.find(({ mode_index }) => mode_index === modeIndex)
  // A mode that was broken off has a report too.
  const isComplete =
    report !== undefined &&
    (report.rows === mode?.rows || report.ended_by !== undefined) &&
    report.cell_off_verified &&
    report.no_result !== true
  const record = {
    run_id: order.run_id,
    experiment_name: order.experiment_name,
    subdir: order.subdir,
    group_id: order.group_id,
    client_datetime: order.client_datetime,
    slot: state.slot,
    mode: mode?.mode,
    mode_index: modeIndex,
    status: isComplete ? 'done' : state.status,
    message: isComplete ? null : state.message,
    parameters: mode?.params,
    columns: mode?.columns.map(({ header }) => header),
    rows,
    planned_rows: mode?.rows,
    tia_gain: report?.range?.tia_gain ?? order.tia_gain,
    tia_ohm: report?.tia_ohm ?? null,
    nominal_sample_period_s: order.period_s,
    sample_period_s: report?.sample_period_s ?? null,
    sampling_interval_s: order.sampling_interval,
    samples_per_row: order.average,
    device_serial: state.device_sn,
    simulated: order.simulated,
    accepted_at: order.timestamp,
    ended_at: state.ended_at ?? state.timestamp,
    warnings: warningsOf(order, modeIndex, report),
    losses: losses.map(({ after_row, lost_samples, cause, timestamp }) => ({
      after_row,
      lost_samples,
      cause,
      timestamp,
    })),
    report: report === undefined ? null : withoutCoded(report),
  }
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Everything that the mode's data must not be read without, once. */
const warningsOf = (order: RunOrder, modeIndex: number, report: ModeReport | undefined): RecordedWarnings => [
  ...order.warnings.filter(
    (warning) =>
      typeof warning === 'string' || warning.mode_index === undefined || concerns(order, warning.mode_index, modeIndex),
  ),
  ...codedWarnings(report?.warnings ?? []),
]

/** Warnings of parameters are listed once for a mode that is repeated. */
const concerns = ({ modes }: RunOrder, warned: number, modeIndex: number): boolean =>
  modes[warned]?.mode === modes[modeIndex]?.mode

/** Coded warnings stand at the top level; sentences without a code, as early logs hold them, stay where they were. */
function withoutCoded(report: ModeReport): ModeReport {
  if (codedWarnings(report.warnings ?? []).length === 0) return report
  const { warnings: _, ...rest } = report
  return rest
}

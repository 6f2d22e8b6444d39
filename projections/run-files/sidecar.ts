import type { RunOrder, SampleLoss, SlotState } from '../../events/payloads.js'

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
    report !== undefined && (report.rows === mode?.rows || report.ended_by !== undefined) && report.cell_off_verified
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
    tia_gain: order.tia_gain,
    tia_ohm: report?.tia_ohm ?? null,
    nominal_sample_period_s: order.period_s,
    sample_period_s: report?.sample_period_s ?? null,
    sampling_interval_s: order.sampling_interval,
    samples_per_row: order.average,
    device_serial: state.device_sn,
    simulated: order.simulated,
    accepted_at: order.timestamp,
    ended_at: state.ended_at ?? state.timestamp,
    warnings: order.warnings,
    losses: losses.map(({ after_row, lost_samples, cause, timestamp }) => ({
      after_row,
      lost_samples,
      cause,
      timestamp,
    })),
    report: report ?? null,
  }
  return `${JSON.stringify(record, null, 2)}\n`
}

import type { RunOrder } from '../../events/potentiostat/run-order.js'
import type { RunProgress, SlotState } from '../../events/potentiostat/run-state.js'
import type { SampleBlock } from '../../events/potentiostat/samples.js'
import { jobRecord as record } from '../support/job-record.js'
import type { TestEvent } from '../support/memory-log.js'

/** Events as the services publish them, with fields a test may override. */

export const T0 = '2026-11-20T09:00:00.000Z'

export const odReading = (
  channel: string,
  od: number,
  timestamp: string,
  unit = 'u1',
  experiment = 'exp',
): TestEvent => ({
  topic: `pioreactor/${unit}/${experiment}/od_reading/od${channel}`,
  payload: { calibrated: 0, timestamp, angle: '90', od, channel, ir_led_intensity: 80 },
})

export const jobRecord = (job_id: number, fields: object = {}): TestEvent => ({
  topic: `system/u1/jobs/${job_id}`,
  payload: { ...record({ job_id, started_at: T0, pid: 42 }), ...fields },
})

export const setting = (name: string, payload: string, job = 'stirring'): TestEvent => ({
  topic: `pioreactor/u1/exp/${job}/${name}`,
  payload,
})

export const CV_COLUMNS: RunOrder['modes'][number]['columns'] = [
  { header: 'Time (s)', field: 'time' },
  { header: 'Potential (V)', field: 'potential' },
  { header: 'Current (A)', field: 'current' },
  { header: 'Cycle', field: 'cycle' },
  { header: 'Exp', field: 'exp' },
  { header: 'Applied potential (V)', field: 'applied' },
]

export const CA_COLUMNS = CV_COLUMNS.filter(({ field }) => field !== 'cycle')

export const cv = (rows: number): RunOrder['modes'][number] => ({
  mode: 'CV',
  params: { start: 0, vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.5, cycles: 1 },
  rows,
  planned_s: rows * 0.00036,
  columns: CV_COLUMNS,
  plot: 'iv_cycles',
})

export const ca = (rows: number): RunOrder['modes'][number] => ({
  mode: 'CA',
  params: { potential: 0.2, duration: rows * 0.00036 },
  rows,
  planned_s: rows * 0.00036,
  columns: CA_COLUMNS,
  plot: 'time_series',
})

export function order(run_id: string, fields: Partial<RunOrder> = {}): TestEvent {
  const payload: RunOrder = {
    run_id,
    slots: ['slot01'],
    modes: [cv(4)],
    tia_gain: 0,
    sampling_interval: null,
    average: 1,
    period_s: 0.00036,
    experiment_name: 'My Exp',
    subdir: null,
    client_datetime: '2025-11-03T10-15-31',
    group_id: null,
    make_plot: false,
    simulated: true,
    warnings: [],
    timestamp: T0,
    ...fields,
  }
  return { topic: `potentiostat/box/${run_id}/order`, payload }
}

export function samples(
  run_id: string,
  first: number,
  count: number,
  fields: Partial<SampleBlock> = {},
  slot = 'slot01',
) {
  const at = Array.from({ length: count }, (_, index) => first + index)
  const payload: SampleBlock = {
    mode_index: 0,
    first,
    first_sample: first,
    timestamp: T0,
    current: at.map((row) => Number((row * 1.1e-6).toPrecision(9))),
    potential: at.map((row) => Number((row * 0.01).toPrecision(9))),
    applied: at.map((row) => row * 0.01),
    cycle: [[1, count]],
    ...fields,
  }
  return { topic: `potentiostat/box/${run_id}/${slot}/samples`, payload }
}

export function slotState(run_id: string, status: SlotState['status'], fields: Partial<SlotState> = {}): TestEvent {
  const payload: SlotState = {
    slot: 'slot01',
    status,
    started_at: status === 'queued' ? null : T0,
    ended_at: status === 'queued' || status === 'running' ? null : '2026-11-20T09:00:09.000Z',
    message: null,
    mode_index: status === 'running' ? 0 : null,
    reports: [],
    device_sn: 'SN1',
    timestamp: T0,
    ...fields,
  }
  return { topic: `potentiostat/box/${run_id}/${payload.slot}/state`, payload }
}

export const report = (mode_index: number, rows: number): SlotState['reports'][number] => ({
  mode_index,
  rows,
  samples: rows,
  lost_samples: 0,
  underruns: 0,
  saturated_samples: 0,
  retries: 0,
  sample_period_s: 0.00036,
  tia_ohm: 1000,
  cell_off_verified: true,
})

export const progress = (run_id: string, progress_pct: number, remaining_s: number | null): TestEvent => ({
  topic: `potentiostat/box/${run_id}/progress`,
  payload: {
    progress_pct,
    remaining_s,
    slots: { slot01: { progress_pct, samples: progress_pct * 10 } },
    timestamp: T0,
  } satisfies RunProgress,
})

import type { DeviceRecord } from '../../../events/payloads.js'
import type { RunRow, RunSlotRow } from '../../../projections/read-models.js'

export const device = (slot: string, values: Partial<DeviceRecord> = {}): DeviceRecord => ({
  slot,
  port: `/dev/${slot}`,
  sn: `SN-${slot}`,
  connected: true,
  run_id: null,
  ...values,
})

export const slotRow = (slot: string, values: Partial<RunSlotRow> = {}): RunSlotRow => ({
  slot,
  status: 'queued',
  started_at: null,
  ended_at: null,
  message: null,
  mode_index: null,
  progress_pct: 0,
  samples: 0,
  reports: [],
  files: [],
  ...values,
})

export const runRow = (runId: string, values: Partial<RunRow> = {}): RunRow => ({
  run_id: runId,
  status: 'running',
  started_at: '2026-01-02T03:04:05.000Z',
  ended_at: null,
  modes: ['CV'],
  slots: [slotRow('slot01')],
  progress_pct: 0,
  remaining_s: 60,
  experiment_name: 'My Exp',
  subdir: null,
  group_id: null,
  client_datetime: '2025-11-03T10-15-31',
  simulated: true,
  warnings: [],
  directory: null,
  ...values,
})

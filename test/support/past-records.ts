import { Type } from '@sinclair/typebox'
import { defineJob } from '../../events/core/define-job.js'
import type { DeviceRecord } from '../../events/potentiostat/devices.js'
import type { RunOrder } from '../../events/potentiostat/run-order.js'
import type { SlotState } from '../../events/potentiostat/run-state.js'
import type { JobRecord } from '../../events/system/jobs.js'
import { jobRecord } from './job-record.js'

/** Records as an earlier life of the unit left them. */

const T0 = '2026-01-02T02:00:00.000Z'

export const capabilityOfStirring = defineJob({
  name: 'stirring',
  help: '',
  parameters: {
    duty_cycle: { schema: Type.Number(), published: true, doc: '' },
    kept: { schema: Type.String(), published: true, persist: true, doc: '' },
  },
}).capability('u1')

export const pastJob = (values: Partial<JobRecord> = {}): JobRecord => jobRecord({ started_at: T0, pid: 1, ...values })

export const orderOf = (runId: string, slots: readonly string[]): RunOrder => ({
  run_id: runId,
  slots: [...slots],
  modes: [{ mode: 'CA', params: {}, rows: 1000, planned_s: 100, columns: [], plot: 'time_series' }],
  tia_gain: 1,
  sampling_interval: 0.1,
  average: 200,
  period_s: 0.0005,
  experiment_name: 'exp',
  subdir: null,
  client_datetime: '2026-01-02T02-00-00',
  group_id: null,
  make_plot: false,
  simulated: true,
  warnings: [],
  timestamp: T0,
})

export const slotState = (slot: string, status: SlotState['status'], values: Partial<SlotState> = {}): SlotState => ({
  slot,
  status,
  started_at: T0,
  ended_at: null,
  message: null,
  mode_index: status === 'running' ? 0 : null,
  reports: [],
  device_sn: null,
  timestamp: T0,
  ...values,
})

export const deviceRecord = (slot: string, values: Partial<DeviceRecord> = {}): DeviceRecord => ({
  slot,
  port: `/dev/${slot}`,
  sn: slot,
  connected: true,
  run_id: null,
  ...values,
})

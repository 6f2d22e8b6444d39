import type { DeviceRecord } from '../../../events/potentiostat/devices.js'
import type { ModeReport } from '../../../events/potentiostat/mode-report.js'
import type { RunOrder } from '../../../events/potentiostat/run-order.js'
import type { SlotState } from '../../../events/potentiostat/run-state.js'
import type { RunStatus } from '../../../events/run-status.js'
import type { TestEvent } from '../../support/memory-log.js'

const STARTED_AT = '2026-01-02T03:04:05.000Z'
const ENDED_AT = '2026-01-02T03:05:05.000Z'

/** A potentiostat as it is announced. */
export const device = (slot: string, values: Partial<DeviceRecord> = {}): TestEvent => ({
  topic: `potentiostat/box1/$devices/${slot}`,
  payload: { slot, port: `/dev/${slot}`, sn: `SN-${slot}`, connected: true, run_id: null, ...values },
})

/** What a test says of a slot in a run. */
export interface GivenSlot {
  readonly slot: string
  readonly status: RunStatus
  readonly started_at?: string
  readonly ended_at?: string
  readonly message?: string
  readonly mode_index?: number
  readonly progress_pct?: number
  readonly samples?: number
  readonly reports?: readonly ModeReport[]
  /** Finished files, relative to the run's directory. */
  readonly files?: readonly string[]
}

export const slot = (name: string, values: Partial<GivenSlot> = {}): GivenSlot => ({
  slot: name,
  status: 'queued',
  ...values,
})

/** A run as events, and what the sink has written of it. */
export interface GivenRun {
  readonly events: readonly TestEvent[]
  readonly order: RunOrder
  readonly directory: string | null
  readonly files: readonly { readonly slot: string; readonly path: string }[]
}

interface RunValues {
  /** Of its only slot, when `slots` says nothing else. */
  readonly status?: RunStatus
  readonly started_at?: string
  readonly modes?: readonly string[]
  readonly slots?: readonly GivenSlot[]
  readonly progress_pct?: number
  readonly subdir?: string
  readonly group_id?: string | null
  readonly warnings?: RunOrder['warnings']
  readonly directory?: string
}

const isOver = (status: RunStatus): boolean => status !== 'queued' && status !== 'running'

/** An order of 60 s with what its slots say since. */
export function run(runId: string, values: RunValues = {}): GivenRun {
  const { status = 'running', modes = ['CV'], slots = [slot('slot01', { status })], directory = null } = values
  const order: RunOrder = {
    run_id: runId,
    slots: slots.map(({ slot: name }) => name),
    modes: modes.map((mode) => ({
      mode,
      params: {},
      rows: 0,
      planned_s: 60 / modes.length,
      columns: [],
      plot: 'iv',
    })),
    tia_gain: 0,
    sampling_interval: null,
    average: 1,
    period_s: 0.00036,
    experiment_name: 'My Exp',
    subdir: values.subdir ?? null,
    client_datetime: '2025-11-03T10-15-31',
    group_id: values.group_id ?? null,
    make_plot: false,
    simulated: true,
    warnings: [...(values.warnings ?? [])],
    timestamp: values.started_at ?? STARTED_AT,
  }
  const at = `potentiostat/box1/${runId}`
  const states = slots.filter(({ status: present }) => present !== 'queued')
  const progress = {
    progress_pct: values.progress_pct ?? 0,
    remaining_s: 60,
    slots: Object.fromEntries(
      slots.map(({ slot: name, progress_pct = 0, samples = 0 }) => [name, { progress_pct, samples }]),
    ),
    timestamp: STARTED_AT,
  }
  return {
    order,
    directory,
    files: slots.flatMap(({ slot: name, files = [] }) => files.map((path) => ({ slot: name, path }))),
    events: [
      { topic: `${at}/order`, payload: order },
      ...states.map((state) => ({ topic: `${at}/${state.slot}/state`, payload: slotState(state) })),
      { topic: `${at}/progress`, payload: progress },
    ],
  }
}

const slotState = ({
  slot: name,
  status,
  started_at,
  ended_at,
  message,
  mode_index,
  reports,
}: GivenSlot): SlotState => ({
  slot: name,
  status,
  started_at: started_at ?? STARTED_AT,
  ended_at: ended_at ?? (isOver(status) ? ENDED_AT : null),
  message: message ?? null,
  mode_index: mode_index ?? null,
  reports: [...(reports ?? [])],
  device_sn: null,
  timestamp: STARTED_AT,
})

import { RunOrder, runOrderEvent } from '../../events/potentiostat/run-order.js'
import { RunProgress, runProgressEvent, SlotState, slotStateEvent } from '../../events/potentiostat/run-state.js'
import type { FoldEvent } from '../engine/fold-event.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'

export type RunSlotTableRow = {
  readonly run_id: string
  readonly slot: string
  readonly status: string
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly message: string | null
  readonly mode_index: number | null
  readonly progress_pct: number
  readonly samples: number
  /** JSON array of mode reports. */
  readonly reports: string
  readonly device_sn: string | null
  /** 1: the process died under the measurement. */
  readonly interrupted: number
  /** Position of the event that gave the slot its present status. */
  readonly status_position: number
}

/** Each slot of each run. */
export const runSlots = foldProjection<RunSlotTableRow>({
  name: 'run_slots',
  version: 2,
  on: [runOrderEvent.filter(), runProgressEvent.filter(), slotStateEvent.filter()],
  columns: {
    run_id: 'TEXT',
    slot: 'TEXT',
    status: 'TEXT',
    started_at: 'TEXT',
    ended_at: 'TEXT',
    message: 'TEXT',
    mode_index: 'INTEGER',
    progress_pct: 'INTEGER',
    samples: 'INTEGER',
    reports: 'TEXT',
    device_sn: 'TEXT',
    interrupted: 'INTEGER',
    status_position: 'INTEGER',
  },
  key: ['run_id', 'slot'],
  keys: (event) => slotsOf(event).map((slot) => [event.level(2), slot]),
  evolve: (row, event, [, slot]) => {
    switch (event.level(3)) {
      case 'order':
        return row ?? queued(event, String(slot))
      case 'progress':
        return row === null ? null : progressed(row, event)
      default:
        return row === null ? null : changed(row, event)
    }
  },
})

function slotsOf(event: FoldEvent): readonly string[] {
  if (event.isEmpty) return []
  switch (event.level(3)) {
    case 'order':
      return event.as(RunOrder).slots
    case 'progress':
      return Object.keys(event.as(RunProgress).slots)
    default:
      return [event.level(3)]
  }
}

const queued = (event: FoldEvent, slot: string): RunSlotTableRow => ({
  run_id: event.level(2),
  slot,
  status: 'queued',
  started_at: null,
  ended_at: null,
  message: null,
  mode_index: null,
  progress_pct: 0,
  samples: 0,
  reports: '[]',
  device_sn: null,
  interrupted: 0,
  status_position: event.position,
})

function progressed(row: RunSlotTableRow, event: FoldEvent): RunSlotTableRow {
  const progress = event.as(RunProgress).slots[row.slot]
  if (progress === undefined) return row
  return { ...row, progress_pct: Math.max(row.progress_pct, progress.progress_pct), samples: progress.samples }
}

function changed(row: RunSlotTableRow, event: FoldEvent): RunSlotTableRow {
  const state = event.as(SlotState)
  return {
    ...row,
    status: state.status,
    started_at: state.started_at,
    ended_at: state.ended_at,
    message: state.message,
    mode_index: state.mode_index,
    reports: JSON.stringify(state.reports),
    device_sn: state.device_sn,
    interrupted: state.interrupted === true ? 1 : 0,
    status_position: row.status === state.status ? row.status_position : event.position,
  }
}

/** The columns that lists need. */
export type ListedSlot = Pick<
  RunSlotTableRow,
  'run_id' | 'slot' | 'status' | 'ended_at' | 'mode_index' | 'reports' | 'interrupted' | 'status_position'
>

/** Queries of the table `run_slots`. */
export function runSlotTableQueries(tables: Tables<{ run_slots: RunSlotTableRow }>) {
  const ofRun = tables.query<{ runId: string }, RunSlotTableRow>((from, value) =>
    from.selectFrom('run_slots').selectAll().where('run_id', '=', value('runId')).orderBy('slot'),
  )
  return { of: (runId: string) => ofRun({ runId }) }
}

import { RunOrder, runOrderEvent } from '../../events/potentiostat/run-order.js'
import { RunProgress, runProgressEvent, slotStateEvent } from '../../events/potentiostat/run-state.js'
import type { FoldEvent } from '../engine/fold-event.js'
import { PAGE_ROWS } from '../engine/kept-list.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'

export type RunTableRow = {
  readonly run_id: string
  readonly box: string
  readonly experiment_name: string
  readonly subdir: string | null
  readonly group_id: string | null
  readonly client_datetime: string
  readonly simulated: number
  readonly started_at: string
  /** JSON arrays of text. */
  readonly modes: string
  readonly slots: string
  readonly warnings: string
  readonly progress_pct: number
  readonly remaining_s: number | null
  /** Position of the latest event of the run or one of its slots. */
  readonly changed_at: number
}

const isOrder = (event: FoldEvent): boolean => event.level(3) === 'order'

/** Accepted potentiostat orders and how far they are. The first order of a run id is the run; later ones are repetitions. */
export const runTable = foldProjection<RunTableRow>({
  name: 'runs',
  version: 2,
  on: [runOrderEvent.filter(), runProgressEvent.filter(), slotStateEvent.filter()],
  columns: {
    run_id: 'TEXT',
    box: 'TEXT',
    experiment_name: 'TEXT',
    subdir: 'TEXT',
    group_id: 'TEXT',
    client_datetime: 'TEXT',
    simulated: 'INTEGER',
    started_at: 'TEXT',
    modes: 'TEXT',
    slots: 'TEXT',
    warnings: 'TEXT',
    progress_pct: 'INTEGER',
    remaining_s: 'INTEGER',
    changed_at: 'INTEGER',
  },
  key: ['run_id'],
  indexes: [{ columns: ['changed_at'] }],
  keys: (event) => (event.isEmpty ? [] : [[event.level(2)]]),
  evolve: (row, event) => {
    if (isOrder(event)) return row ?? accepted(event)
    if (row === null) return null
    const changed = { ...row, changed_at: event.position }
    if (event.level(3) !== 'progress') return changed
    const { progress_pct, remaining_s } = event.as(RunProgress)
    return { ...changed, progress_pct: Math.max(row.progress_pct, progress_pct), remaining_s }
  },
})

function accepted(event: FoldEvent): RunTableRow {
  const order = event.as(RunOrder)
  return {
    run_id: event.level(2),
    box: event.level(1),
    experiment_name: order.experiment_name,
    subdir: order.subdir,
    group_id: order.group_id,
    client_datetime: order.client_datetime,
    simulated: order.simulated ? 1 : 0,
    started_at: order.timestamp,
    modes: JSON.stringify(order.modes.map(({ mode }) => mode)),
    slots: JSON.stringify(order.slots),
    warnings: JSON.stringify(order.warnings),
    progress_pct: 0,
    remaining_s: Math.ceil(order.modes.reduce((total, { planned_s }) => total + planned_s, 0)),
    changed_at: event.position,
  }
}

/** The columns that lists need. */
export type ListedRun = Pick<RunTableRow, 'run_id' | 'started_at' | 'modes' | 'subdir' | 'group_id' | 'changed_at'>

/** Queries of the table `runs`. */
export function runTableQueries(tables: Tables<{ runs: RunTableRow }>) {
  const changes = tables.query<object, { changed_at: number }>((from) =>
    from.selectFrom('runs').select('changed_at').orderBy('changed_at', 'desc').limit(1),
  )
  const changedAfter = tables.query<{ position: number }, ListedRun>((from, value) =>
    from
      .selectFrom('runs')
      .select(['run_id', 'started_at', 'modes', 'subdir', 'group_id', 'changed_at'])
      .where('changed_at', '>', value('position'))
      .orderBy('changed_at')
      .limit(PAGE_ROWS),
  )
  const byId = tables.query<{ id: string }, RunTableRow>((from, value) =>
    from.selectFrom('runs').selectAll().where('run_id', '=', value('id')),
  )
  return {
    /** Position of the event that changed any run last. */
    lastChange: async (): Promise<number> => (await changes({}))[0]?.changed_at ?? 0,
    /** A page of runs in the order of their changes. */
    changedAfter: (position: number) => changedAfter({ position }),
    one: async (id: string): Promise<RunTableRow | null> => (await byId({ id }))[0] ?? null,
  }
}

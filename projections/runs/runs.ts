import { RunOrder, runOrderEvent } from '../../events/potentiostat/run-order.js'
import { RunProgress, runProgressEvent } from '../../events/potentiostat/run-state.js'
import type { FoldEvent } from '../engine/fold-event.js'
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
}

const isOrder = (event: FoldEvent): boolean => event.level(3) === 'order'

/** Accepted potentiostat orders and how far they are. The first order of a run id is the run; later ones are repetitions. */
export const runTable = foldProjection<RunTableRow>({
  name: 'runs',
  version: 1,
  on: [runOrderEvent.filter(), runProgressEvent.filter()],
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
  },
  key: ['run_id'],
  indexes: [{ columns: ['started_at', 'run_id'] }],
  keys: (event) => (event.isEmpty ? [] : [[event.level(2)]]),
  evolve: (row, event) => {
    if (isOrder(event)) return row ?? accepted(event)
    const { progress_pct, remaining_s } = event.as(RunProgress)
    return row === null ? null : { ...row, progress_pct: Math.max(row.progress_pct, progress_pct), remaining_s }
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
  }
}

/** The columns that lists need. */
export type ListedRun = Pick<RunTableRow, 'run_id' | 'started_at' | 'modes' | 'subdir' | 'group_id'>

/** Queries of the table `runs`. */
export function runTableQueries(tables: Tables<{ runs: RunTableRow }>) {
  const all = tables.query<{ groupId: string | null }, ListedRun>((from, value) =>
    from
      .selectFrom('runs')
      .select(['run_id', 'started_at', 'modes', 'subdir', 'group_id'])
      .where((is) => is.or([is(value('groupId'), 'is', null), is('group_id', '=', value('groupId'))]))
      .orderBy('started_at', 'desc')
      .orderBy('run_id', 'desc'),
  )
  const byId = tables.query<{ id: string }, RunTableRow>((from, value) =>
    from.selectFrom('runs').selectAll().where('run_id', '=', value('id')),
  )
  return {
    /** The latest first. */
    all: (groupId: string | null) => all({ groupId }),
    one: async (id: string): Promise<RunTableRow | null> => (await byId({ id }))[0] ?? null,
  }
}

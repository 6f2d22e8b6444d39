import type Database from 'better-sqlite3'
import type { ModeReport } from '../events/payloads.js'
import { isTerminal, type RunStatus } from '../events/run-status.js'
import type { RunOverview, RunRow, RunSlotRow } from './read-models.js'
import type { RunSlotTableRow } from './run-slots.js'
import type { RunTableRow } from './runs.js'

/** Where the files of a run are, and whether they are complete. */
export interface RunFolder {
  /** Relative to the runs' root; null until the run has a directory. */
  readonly directory: string | null
  /** Whether a file is still being written or drawn. */
  readonly pending: boolean
}

/** What the run-file sink knows of a run. */
export interface RunFilesState extends RunFolder {
  /** Finished files relative to the run's directory. */
  readonly files: readonly { readonly slot: string; readonly path: string }[]
  /** What could not be written or drawn, one sentence each. */
  readonly problems: readonly string[]
}

/** Status of a run from those of its slots. */
export function runStatus(slots: readonly RunStatus[]): RunStatus {
  if (slots.length > 0 && slots.every((status) => status === 'queued')) return 'queued'
  if (slots.some((status) => !isTerminal(status))) return 'running'
  if (slots.includes('failed')) return 'failed'
  return slots.includes('cancelled') ? 'cancelled' : 'done'
}

/** A run as clients see it: it ends only when its files are complete. */
export function runRow(
  run: RunTableRow,
  slots: readonly RunSlotTableRow[],
  files: RunFilesState,
  filesPosition: number,
): RunRow {
  const { status, ended_at } = outcomeOf(slots, files, filesPosition)
  return {
    run_id: run.run_id,
    status,
    started_at: run.started_at,
    ended_at,
    modes: JSON.parse(run.modes) as string[],
    slots: slots.map((slot) => slotRow(slot, files)),
    ...progress(run, status),
    experiment_name: run.experiment_name,
    subdir: run.subdir,
    group_id: run.group_id,
    client_datetime: run.client_datetime,
    simulated: run.simulated === 1,
    warnings: [...(JSON.parse(run.warnings) as string[]), ...files.problems],
    directory: files.directory,
  }
}

/** The columns that lists need. */
type ListedRun = Pick<RunTableRow, 'run_id' | 'started_at' | 'modes' | 'subdir' | 'group_id'>
type ListedSlot = Pick<
  RunSlotTableRow,
  'run_id' | 'slot' | 'status' | 'ended_at' | 'mode_index' | 'reports' | 'status_position'
>

/** The part of a row that lists need. */
export function runOverview(
  run: ListedRun,
  slots: readonly ListedSlot[],
  folder: RunFolder,
  filesPosition: number,
): RunOverview {
  return {
    run_id: run.run_id,
    ...outcomeOf(slots, folder, filesPosition),
    started_at: run.started_at,
    modes: JSON.parse(run.modes) as string[],
    slots: slots.map(({ slot, mode_index, reports }) => ({
      slot,
      mode_index,
      reports: JSON.parse(reports) as ModeReport[],
    })),
    subdir: run.subdir,
    group_id: run.group_id,
    directory: folder.directory,
  }
}

function outcomeOf(
  slots: readonly ListedSlot[],
  { pending }: RunFolder,
  filesPosition: number,
): Pick<RunRow, 'status' | 'ended_at'> {
  const measured = runStatus(slots.map(({ status }) => status as RunStatus))
  if (!isTerminal(measured)) return { status: measured, ended_at: null }
  const endPosition = Math.max(0, ...slots.map(({ status_position }) => status_position))
  if (pending || filesPosition < endPosition) return { status: 'running', ended_at: null }
  return { status: measured, ended_at: latest(slots.map(({ ended_at }) => ended_at)) }
}

/** 100 % only at the end; a cancelled run keeps what it reached. */
function progress(run: RunTableRow, status: RunStatus): Pick<RunRow, 'progress_pct' | 'remaining_s'> {
  switch (status) {
    case 'done':
    case 'failed':
      return { progress_pct: 100, remaining_s: 0 }
    case 'cancelled':
      return { progress_pct: run.progress_pct, remaining_s: null }
    default:
      return { progress_pct: Math.min(run.progress_pct, 99), remaining_s: run.remaining_s }
  }
}

const latest = (times: readonly (string | null)[]): string | null =>
  times.reduce((last, time) => (time !== null && (last === null || time > last) ? time : last), null)

const slotRow = (slot: RunSlotTableRow, { files }: RunFilesState): RunSlotRow => ({
  slot: slot.slot,
  status: slot.status as RunStatus,
  started_at: slot.started_at,
  ended_at: slot.ended_at,
  message: slot.message,
  mode_index: slot.mode_index,
  progress_pct: slot.status === 'done' || slot.status === 'failed' ? 100 : slot.progress_pct,
  samples: slot.samples,
  reports: JSON.parse(slot.reports) as ModeReport[],
  files: files.filter((file) => file.slot === slot.slot).map(({ path }) => path),
})

/** Queries of the runs' tables. */
export function runTables(database: Database.Database): {
  all(groupId?: string): readonly ListedRun[]
  one(runId: string): RunTableRow | null
  slots(runId: string): readonly RunSlotTableRow[]
  /** The slots of every run, by run id. */
  allSlots(): ReadonlyMap<string, readonly ListedSlot[]>
} {
  const newestFirst = 'ORDER BY started_at DESC, run_id DESC'
  const listed = 'SELECT run_id, started_at, modes, subdir, group_id FROM runs'
  const all = database.prepare<[], ListedRun>(`${listed} ${newestFirst}`)
  const ofGroup = database.prepare<[string], ListedRun>(`${listed} WHERE group_id = ? ${newestFirst}`)
  const one = database.prepare<[string], RunTableRow>('SELECT * FROM runs WHERE run_id = ?')
  const slots = database.prepare<[string], RunSlotTableRow>('SELECT * FROM run_slots WHERE run_id = ? ORDER BY slot')
  const allSlots = database.prepare<[], ListedSlot>(
    `SELECT run_id, slot, status, ended_at, mode_index, reports, status_position FROM run_slots ORDER BY run_id, slot`,
  )
  return {
    all: (groupId) => (groupId === undefined ? all.all() : ofGroup.all(groupId)),
    one: (runId) => one.get(runId) ?? null,
    slots: (runId) => slots.all(runId),
    allSlots() {
      const byRun = new Map<string, ListedSlot[]>()
      for (const row of allSlots.iterate()) {
        const known = byRun.get(row.run_id)
        if (known === undefined) byRun.set(row.run_id, [row])
        else known.push(row)
      }
      return byRun
    },
  }
}

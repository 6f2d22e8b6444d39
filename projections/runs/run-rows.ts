import type { ModeReport } from '../../events/potentiostat/mode-report.js'
import { isTerminal, type RunStatus } from '../../events/run-status.js'
import { type RecordedWarnings, upcastWarnings } from '../../events/run-warnings.js'
import type { RunFilesState, RunFolder } from '../run-files/run-files-queries.js'
import type { ListedSlot, RunSlotTableRow } from './run-slots.js'
import type { ListedRun, RunTableRow } from './runs.js'

/** One potentiostat run. Its status becomes terminal only when its files are complete. */
export interface RunRow {
  readonly run_id: string
  readonly status: RunStatus
  readonly started_at: string
  readonly ended_at: string | null
  readonly modes: readonly string[]
  readonly slots: readonly RunSlotRow[]
  readonly progress_pct: number
  readonly remaining_s: number | null
  readonly experiment_name: string
  readonly subdir: string | null
  readonly group_id: string | null
  readonly client_datetime: string
  readonly simulated: boolean
  readonly warnings: readonly RunRowWarning[]
  /** Directory of the run's files relative to RUNS_ROOT, posix; null until the sink has made it. */
  readonly directory: string | null
}

/** What the results of a run must not be read without; null: of every slot, or mode. */
export interface RunRowWarning {
  readonly code: string
  readonly message: string
  readonly slot: string | null
  readonly mode: string | null
}

/** What lists tell of a run; found without asking for its files. */
export type RunOverview = Pick<
  RunRow,
  'run_id' | 'status' | 'started_at' | 'ended_at' | 'modes' | 'subdir' | 'group_id' | 'directory'
> & { readonly slots: readonly Pick<RunSlotRow, 'slot' | 'mode_index' | 'reports'>[] }

export interface RunSlotRow {
  readonly slot: string
  readonly status: RunStatus
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly message: string | null
  readonly mode_index: number | null
  readonly progress_pct: number
  readonly samples: number
  readonly reports: readonly ModeReport[]
  /** Finished files relative to the run's directory, posix, sorted. */
  readonly files: readonly string[]
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
  const modes = JSON.parse(run.modes) as string[]
  const rows = slots.map((slot) => slotRow(slot, files))
  return {
    run_id: run.run_id,
    status,
    started_at: run.started_at,
    ended_at,
    modes,
    slots: rows,
    ...progress(run, status, slots.some(isInterrupted)),
    experiment_name: run.experiment_name,
    subdir: run.subdir,
    group_id: run.group_id,
    client_datetime: run.client_datetime,
    simulated: run.simulated === 1,
    warnings: [
      ...runWarnings(JSON.parse(run.warnings) as RecordedWarnings, modes, null),
      ...rows.flatMap(({ slot, reports }) =>
        reports.flatMap(({ warnings = [] }) => runWarnings(warnings, modes, slot)),
      ),
      ...files.problems.map((message) => ({ code: 'file_not_made', message, slot: null, mode: null })),
    ],
    directory: files.directory,
  }
}

const runWarnings = (
  recorded: RecordedWarnings,
  modes: readonly string[],
  slot: string | null,
): readonly RunRowWarning[] =>
  upcastWarnings(recorded).map(({ code, message, mode_index }) => ({
    code,
    message,
    slot,
    mode: mode_index === undefined ? null : (modes[mode_index] ?? null),
  }))

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
  // Of what nobody measures any more it is never said that it runs, though a plot may still be drawn.
  const complete = (!pending && filesPosition >= endPosition) || slots.some(isInterrupted)
  if (!complete) return { status: 'running', ended_at: null }
  return { status: measured, ended_at: latest(slots.map(({ ended_at }) => ended_at)) }
}

const isInterrupted = ({ interrupted }: Pick<RunSlotTableRow, 'interrupted'>): boolean => interrupted === 1

/** 100 % only at the end; a run that was cancelled or interrupted keeps what it reached. */
function progress(
  run: RunTableRow,
  status: RunStatus,
  interrupted: boolean,
): Pick<RunRow, 'progress_pct' | 'remaining_s'> {
  if (interrupted && status === 'failed') return { progress_pct: run.progress_pct, remaining_s: null }
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
  progress_pct: slot.status === 'done' || (slot.status === 'failed' && !isInterrupted(slot)) ? 100 : slot.progress_pct,
  samples: slot.samples,
  reports: JSON.parse(slot.reports) as ModeReport[],
  files: files.filter((file) => file.slot === slot.slot).map(({ path }) => path),
})

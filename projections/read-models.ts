import type { JobCapability } from '../events/core/define-job.js'
import type { ModeDeclaration } from '../events/define-mode.js'
import type { DeviceRecord, JobRecord, ModeReport, ServiceRecord, TaskRecord } from '../events/payloads.js'
import type { RunStatus } from '../events/run-status.js'

/** The queries of the read models: all that the gateway knows of the world. Rows keep their wire spelling. */
export interface ReadModels {
  /** Position up to which every projection has folded the log. */
  position(): number
  /** Position up to which the run-file sink has written files. */
  filesPosition(): number
  jobs(filter?: JobFilter): readonly JobRecord[]
  /** Published settings of the running job of that name, `$state` included; null when no job of that name runs.
   * Numbers are numbers, booleans 1 or 0, structures JSON text (`unit-api-behaviour` entry 40). */
  jobSettings(jobName: string): Readonly<Record<string, string | number>> | null
  task(taskId: string): TaskRecord | null
  jobCapabilities(): readonly JobCapability[]
  /** Modes in the order the services announce them. */
  modes(): readonly ModeDeclaration[]
  devices(): readonly DeviceRecord[]
  service(): ServiceRecord | null
  /** Every run ever, the latest first: there may be thousands. */
  runs(filter?: RunFilter): readonly RunOverview[]
  run(runId: string): RunRow | null
  close(): void
}

export interface JobFilter {
  readonly running?: boolean
  readonly jobName?: string
  readonly experiment?: string
  readonly longRunning?: boolean
}

export interface RunFilter {
  readonly groupId?: string
}

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
  readonly warnings: readonly string[]
  /** Directory of the run's files relative to RUNS_ROOT, posix; null until the sink has made it. */
  readonly directory: string | null
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

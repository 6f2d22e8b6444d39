import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { JobCapability } from '../events/core/define-job.js'
import type { ModeDeclaration } from '../events/define-mode.js'
import { LabError } from '../events/errors.js'
import type { DeviceRecord, JobRecord, ServiceRecord, TaskRecord } from '../events/payloads.js'
import type { JobMetadataRow } from './job-metadata.js'
import type { ReadModels, RunRow } from './read-models.js'
import { type RunFilesState, type RunFolder, runOverview, runRow, runTables } from './run-rows.js'
import type { RunTableRow } from './runs.js'

export interface ReadModelPaths {
  readonly readModelsPath: string
  readonly runFilesStatePath: string
}

/** The projector has not made its tables yet. */
export class ReadModelsNotReady extends LabError {
  constructor(path: string, cause: unknown) {
    super('read_models.not_ready', 'state', `The read models at ${path} are not there yet.`, {
      remediation: 'Wait for the projections to start.',
      cause,
    })
  }
}

/** Opens the read models for queries. Files that the projections have not made yet are opened when they appear: until then positions
 * are 0 and other queries throw `ReadModelsNotReady`. */
export function openReadModels({ readModelsPath, runFilesStatePath }: ReadModelPaths): ReadModels {
  const models = lazily(readModelsPath, queriesOf)
  const files = lazily(runFilesStatePath, fileQueriesOf)
  const all = () => models.get() ?? models.refuse()
  const filesPosition = () => files.get()?.position() ?? 0
  const row = (run: RunTableRow): RunRow => {
    // Read before the files' state, so that a run is never shown as complete too early.
    const position = filesPosition()
    return runRow(run, all().runs.slots(run.run_id), files.get()?.state(run.run_id) ?? NO_FILES, position)
  }

  return {
    position: () => models.get()?.position() ?? 0,
    filesPosition,
    jobs: (filter = {}) =>
      all()
        .jobs(filter.running === true)
        .filter(
          (job) =>
            (filter.running === undefined || job.is_running === filter.running) &&
            (filter.jobName === undefined || job.job_name === filter.jobName) &&
            (filter.experiment === undefined || job.experiment === filter.experiment) &&
            (filter.longRunning === undefined || job.is_long_running_job === filter.longRunning),
        ),
    jobSettings: (jobName) => all().jobSettings(jobName),
    task: (taskId) => all().task(taskId),
    jobCapabilities: () => all().announced<JobCapability>('job_capabilities', 'name'),
    modes: () => all().announced<ModeDeclaration>('mode_capabilities', 'position'),
    devices: () => all().announced<DeviceRecord>('devices', 'name'),
    service: () => all().announced<ServiceRecord>('services', 'position').at(-1) ?? null,
    runs(filter = {}) {
      const position = filesPosition()
      const { runs } = all()
      const found = runs.all(filter.groupId)
      const slots = runs.allSlots()
      const folders = files.get()?.folders()
      return found.map((run) =>
        runOverview(run, slots.get(run.run_id) ?? [], folders?.get(run.run_id) ?? folderless(folders), position),
      )
    },
    run: (runId) => {
      const run = all().runs.one(runId)
      return run === null ? null : row(run)
    },
    close() {
      models.close()
      files.close()
    },
  }
}

const NO_FILES: RunFilesState = { directory: null, files: [], pending: true, problems: [] }

/** A run the sink does not know is retired, or nothing is known of any. */
const folderless = (folders: ReadonlyMap<string, RunFolder> | undefined): RunFolder => ({
  directory: null,
  pending: folders === undefined,
})

/** A read-only database that may not exist yet. */
function lazily<T>(path: string, prepare: (database: Database.Database) => T) {
  let opened: { readonly database: Database.Database; readonly queries: T } | null = null
  let cause: unknown
  return {
    get(): T | null {
      if (opened === null && existsSync(path)) {
        let database: Database.Database | undefined
        try {
          database = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 })
          opened = { database, queries: prepare(database) }
        } catch (error) {
          // Its tables appear a moment after the file does.
          database?.close()
          cause = error
        }
      }
      return opened?.queries ?? null
    },
    refuse(): never {
      throw new ReadModelsNotReady(path, cause)
    },
    close: () => opened?.database.close(),
  }
}

function queriesOf(database: Database.Database) {
  const position = database.prepare<[], { position: number | null }>(
    'SELECT min(position) AS position FROM checkpoints',
  )
  const jobs = database.prepare<[], JobMetadataRow>('SELECT * FROM pio_job_metadata ORDER BY job_id')
  const runningJobs = database.prepare<[], JobMetadataRow>(
    'SELECT * FROM pio_job_metadata WHERE is_running = 1 ORDER BY job_id',
  )
  const running = database.prepare<[string], { job_id: number }>(
    'SELECT max(job_id) AS job_id FROM pio_job_metadata WHERE job_name = ? AND is_running = 1 HAVING job_id IS NOT NULL',
  )
  const settings = database.prepare<[number], { setting: string; value: string | number }>(
    'SELECT setting, value FROM pio_job_published_settings WHERE job_id = ? ORDER BY setting',
  )
  const task = database.prepare<[string], { record: string }>('SELECT record FROM tasks WHERE task_id = ?')
  return {
    runs: runTables(database),
    position: () => position.get()?.position ?? 0,
    jobs: (onlyRunning: boolean) => (onlyRunning ? runningJobs : jobs).all().map(jobRecord),
    jobSettings(jobName: string): Readonly<Record<string, string | number>> | null {
      const job = running.get(jobName)
      if (job === undefined) return null
      return Object.fromEntries(settings.all(job.job_id).map(({ setting, value }) => [setting, value]))
    },
    task(taskId: string): TaskRecord | null {
      const found = task.get(taskId)
      return found === undefined ? null : (JSON.parse(found.record) as TaskRecord)
    },
    /** Announcements were checked when they were folded. */
    announced: <T>(table: string, order: 'name' | 'position'): readonly T[] =>
      database
        .prepare<[], { record: string }>(`SELECT record FROM ${table} ORDER BY ${order}, topic`)
        .all()
        .map(({ record }) => JSON.parse(record) as T),
  }
}

function jobRecord({ first_position, ...job }: JobMetadataRow): JobRecord {
  return {
    ...job,
    is_running: job.is_running === 1,
    is_long_running_job: job.is_long_running_job === 1,
    state: job.state as JobRecord['state'],
  }
}

function fileQueriesOf(database: Database.Database) {
  const position = database.prepare<[], { position: number }>('SELECT position FROM checkpoint')
  const run = database.prepare<[string], { directory: string; has_manifest: number }>(
    'SELECT directory, has_manifest FROM runs WHERE run_id = ?',
  )
  const files = database.prepare<[string], { slot: string; path: string; complete: number }>(
    'SELECT slot, path, complete FROM files WHERE run_id = ? ORDER BY path',
  )
  const folders = database.prepare<[], { run_id: string; directory: string; has_manifest: number }>(
    'SELECT run_id, directory, has_manifest FROM runs',
  )
  const problems = database.prepare<[string], { reason: string }>(
    'SELECT reason FROM problems WHERE run_id = ? ORDER BY slot, mode_index, reason',
  )
  return {
    position: () => position.get()?.position ?? 0,
    state(runId: string): RunFilesState {
      const known = run.get(runId)
      const found = files.all(runId)
      return {
        directory: known?.directory ?? null,
        files: found.filter(({ complete }) => complete === 1),
        // The manifest comes last, and uploads go by it.
        pending: known?.has_manifest === 0,
        problems: problems.all(runId).map(({ reason }) => reason),
      }
    },
    folders: (): ReadonlyMap<string, RunFolder> =>
      new Map(
        folders
          .all()
          .map(({ run_id, directory, has_manifest }) => [run_id, { directory, pending: has_manifest === 0 }]),
      ),
  }
}

import type Database from 'better-sqlite3'
import type { RunOrder } from '../../events/potentiostat/run-order.js'
import type { SampleLoss } from '../../events/potentiostat/samples.js'
import type { RunStatus } from '../../events/run-status.js'

export interface KnownRun {
  readonly order: RunOrder
  readonly directory: string
}

/** How one slot of a run ended. */
export interface SlotEnd {
  readonly slot: string
  readonly status: RunStatus
  readonly ended_at: string
}

export type FileKind = 'csv' | 'json' | 'png' | 'cdl'

/** A file of a run. `path` is relative to the run's directory. */
export interface RunFile {
  readonly run_id: string
  readonly path: string
  readonly slot: string
  readonly mode_index: number
  readonly kind: FileKind
  /** Bytes certainly on disk. */
  readonly bytes: number
  /** Index of the next row of a CSV. */
  readonly row_count: number
  readonly complete: boolean
}

type FileRow = Omit<RunFile, 'complete'> & { readonly complete: number }

const toFile = (row: FileRow): RunFile => ({ ...row, complete: row.complete === 1 })

/** The sink's tables. Every method is one statement; the caller holds the transaction. */
export class RunFilesStore {
  readonly #database: Database.Database
  readonly #runs = new Map<string, KnownRun>()
  readonly #statements

  constructor(database: Database.Database) {
    this.#database = database
    this.#statements = {
      position: database.prepare<[], { position: number }>('SELECT position FROM checkpoint'),
      advance: database.prepare<[number]>('UPDATE checkpoint SET position = ?'),
      run: database.prepare<[string], { run_order: string; directory: string }>(
        'SELECT run_order, directory FROM runs WHERE run_id = ?',
      ),
      owner: database.prepare<[string, string]>('SELECT 1 FROM slot_folders WHERE directory = ? AND slot = ?'),
      file: database.prepare<[string, string], FileRow>('SELECT * FROM files WHERE run_id = ? AND path = ?'),
      putFile: database.prepare(
        `INSERT OR REPLACE INTO files (run_id, path, slot, mode_index, kind, bytes, row_count, complete)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      incomplete: database.prepare<[], FileRow>(
        'SELECT * FROM files WHERE complete = 0 ORDER BY run_id, slot, mode_index, kind',
      ),
      openModes: database.prepare<[string, string], FileRow>(
        "SELECT * FROM files WHERE run_id = ? AND slot = ? AND kind = 'csv' AND complete = 0 ORDER BY mode_index",
      ),
      losses: database.prepare<[string, string, number], { record: string }>(
        'SELECT record FROM losses WHERE run_id = ? AND slot = ? AND mode_index = ? ORDER BY position',
      ),
      directories: database.prepare<[], { run_id: string; directory: string }>(
        'SELECT run_id, directory FROM runs ORDER BY run_id',
      ),
      withoutManifest: database.prepare<[], { run_id: string }>(
        'SELECT run_id FROM runs WHERE has_manifest = 0 ORDER BY run_id',
      ),
      removeFile: database.prepare<[string, string]>('DELETE FROM files WHERE run_id = ? AND path = ?'),
    }
  }

  get position(): number {
    return this.#statements.position.get()?.position ?? 0
  }

  set position(position: number) {
    this.#statements.advance.run(position)
  }

  /** Forgets what was read inside a transaction that failed. */
  forget(): void {
    this.#runs.clear()
  }

  run(runId: string): KnownRun | null {
    const cached = this.#runs.get(runId)
    if (cached !== undefined) return cached
    const row = this.#statements.run.get(runId)
    if (row === undefined) return null
    const known = { order: JSON.parse(row.run_order) as RunOrder, directory: row.directory }
    // Few runs are measured at a time; the cache need not know which.
    if (this.#runs.size >= 200) this.#runs.clear()
    this.#runs.set(runId, known)
    return known
  }

  /** Position of a run's order. */
  acceptedAt(runId: string): number {
    const row = this.#database
      .prepare<[string], { position: number }>('SELECT position FROM runs WHERE run_id = ?')
      .get(runId)
    return row?.position ?? 1
  }

  addRun(order: RunOrder, directory: string, position: number): void {
    this.#database
      .prepare('INSERT INTO runs (run_id, position, directory, run_order) VALUES (?, ?, ?, ?)')
      .run(order.run_id, position, directory, JSON.stringify(order))
    const own = this.#database.prepare('INSERT INTO slot_folders (directory, slot, run_id) VALUES (?, ?, ?)')
    for (const slot of order.slots) own.run(directory, slot, order.run_id)
  }

  isTaken(directory: string, slot: string): boolean {
    return this.#statements.owner.get(directory, slot) !== undefined
  }

  /** Run id → directory, sorted by run id. */
  directories(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#statements.directories.all().map(({ run_id, directory }) => [run_id, directory]))
  }

  file(runId: string, path: string): RunFile | null {
    const row = this.#statements.file.get(runId, path)
    return row === undefined ? null : toFile(row)
  }

  /** The CSV a file was, or will be, computed from. */
  csvOf(file: RunFile): RunFile | null {
    const row = this.#database
      .prepare<[string, string, number], FileRow>(
        "SELECT * FROM files WHERE run_id = ? AND slot = ? AND mode_index = ? AND kind = 'csv'",
      )
      .get(file.run_id, file.slot, file.mode_index)
    return row === undefined ? null : toFile(row)
  }

  put(file: RunFile): void {
    const { run_id, path, slot, mode_index, kind, bytes, row_count, complete } = file
    this.#statements.putFile.run(run_id, path, slot, mode_index, kind, bytes, row_count, complete ? 1 : 0)
  }

  remove(file: RunFile): void {
    this.#statements.removeFile.run(file.run_id, file.path)
  }

  incompleteFiles(): readonly RunFile[] {
    return this.#statements.incomplete.all().map(toFile)
  }

  /** CSV files of a slot that are still being written. */
  openModes(runId: string, slot: string): readonly RunFile[] {
    return this.#statements.openModes.all(runId, slot).map(toFile)
  }

  addLoss(position: number, runId: string, loss: SampleLoss): void {
    this.#database
      .prepare('INSERT OR IGNORE INTO losses (position, run_id, slot, mode_index, record) VALUES (?, ?, ?, ?, ?)')
      .run(position, runId, loss.slot, loss.mode_index, JSON.stringify(loss))
  }

  losses(runId: string, slot: string, modeIndex: number): readonly SampleLoss[] {
    return this.#statements.losses.all(runId, slot, modeIndex).map(({ record }) => JSON.parse(record) as SampleLoss)
  }

  addProblem(runId: string, slot: string, modeIndex: number, reason: string): void {
    this.#database
      .prepare('INSERT OR IGNORE INTO problems (run_id, slot, mode_index, reason) VALUES (?, ?, ?, ?)')
      .run(runId, slot, modeIndex, reason)
  }

  /** What could not be written or drawn. */
  problems(runId: string): readonly string[] {
    const rows = this.#database
      .prepare<[string], { reason: string }>(
        'SELECT reason FROM problems WHERE run_id = ? ORDER BY slot, mode_index, reason',
      )
      .all(runId)
    return rows.map(({ reason }) => reason)
  }

  park(position: number, reason: string): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO parked_events (position, reason) VALUES (?, ?)')
      .run(position, reason)
  }

  /** How a slot's measurements ended, for good. */
  endSlot(runId: string, end: SlotEnd): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO slot_ends (run_id, slot, status, ended_at) VALUES (?, ?, ?, ?)')
      .run(runId, end.slot, end.status, end.ended_at)
  }

  slotEnds(runId: string): readonly SlotEnd[] {
    return this.#database
      .prepare<[string], SlotEnd>('SELECT slot, status, ended_at FROM slot_ends WHERE run_id = ? ORDER BY slot')
      .all(runId)
  }

  /** Files of a run by path. */
  filesOf(runId: string): readonly RunFile[] {
    return this.#database
      .prepare<[string], FileRow>('SELECT * FROM files WHERE run_id = ? ORDER BY path')
      .all(runId)
      .map(toFile)
  }

  /** Ids of the runs whose manifest is still to be written. */
  runsWithoutManifest(): readonly string[] {
    return this.#statements.withoutManifest.all().map(({ run_id }) => run_id)
  }

  manifestWritten(runId: string): void {
    this.#database.prepare('UPDATE runs SET has_manifest = 1 WHERE run_id = ?').run(runId)
  }

  /** Deletes everything known of a run. */
  forgetRun(runId: string): void {
    for (const table of ['runs', 'slot_folders', 'slot_ends', 'files', 'losses', 'problems']) {
      this.#database.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(runId)
    }
    this.#runs.delete(runId)
  }

  /** Forgets the runs accepted at or after a position, so that folding again from there writes their files anew. */
  rewind(position: number): void {
    const runs = this.#database
      .prepare<[number], { run_id: string }>('SELECT run_id FROM runs WHERE position >= ?')
      .all(position)
    for (const { run_id } of runs) {
      this.forgetRun(run_id)
    }
    this.position = position - 1
    this.forget()
  }
}

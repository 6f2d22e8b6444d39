import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import { syncToDisk } from '../primitives/replace-file.js'
import { type Batch, unpackBatch } from './batch.js'
import { type OpenOptions, openForWriting } from './database.js'
import { type FileChange, FileIdentities } from './file-identity.js'
import { finishCopy } from './finish-copy.js'
import { LogState } from './log-state.js'
import { openRecorded, type RecordedTable } from './recorded-table.js'
import { checkSample } from './start-check.js'

/** SQLite keeps the last commits, and who reads them, in files beside the database. */
const BESIDE = ['-wal', '-shm'] as const

/** A copy of the log that has lost its name: being written, and complete. */
const UNFINISHED = '.restoring'
const RESTORED = '.restored'

/** The files beside the database go first: with another database they would ruin it. */
function putRestoredInPlace(path: string): void {
  for (const suffix of BESIDE) rmSync(`${path}${suffix}`, { force: true })
  renameSync(`${path}${RESTORED}`, path)
  syncToDisk(dirname(path))
}

/** The log as its only writer has it open. */
export class LogStore {
  readonly #path: string
  #db: Database.Database
  #recorded: RecordedTable
  #files: FileIdentities
  #write: (batch: Batch) => number
  #maxPages: number | undefined
  /** Undefined after a rollback: what it took up was not committed. */
  #state: LogState | undefined
  #position: number

  constructor(path: string, options: OpenOptions = {}) {
    this.#path = path
    // A process that was killed while it restored the log.
    if (!existsSync(path) && existsSync(`${path}${RESTORED}`)) putRestoredInPlace(path)
    this.#db = openForWriting(path, options)
    this.#position = 0
    try {
      checkSample(this.#db)
      ;[this.#recorded, this.#files, this.#write] = this.#prepare()
      this.#position = this.#recorded.lastPosition()
      this.#state = this.#readState()
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  #prepare(): [RecordedTable, FileIdentities, (batch: Batch) => number] {
    const recorded = openRecorded(this.#db)
    // Beside the database they are there from the first read on.
    recorded.lastPosition()
    if (this.#maxPages !== undefined) this.#db.pragma(`max_page_count = ${this.#maxPages}`)
    return [
      recorded,
      new FileIdentities([this.#path, ...BESIDE.map((suffix) => `${this.#path}${suffix}`)]),
      this.#db.transaction((batch: Batch) => this.#insert(batch)).immediate,
    ]
  }

  #readState(): LogState {
    return this.#db.transaction(() => new LogState(this.#db))()
  }

  /** Position of the last event. */
  get position(): number {
    return this.#position
  }

  /** Commits a batch; returns after its fsync. When it throws, nothing was recorded. */
  commit(batch: Batch): void {
    try {
      this.#position = this.#write(batch)
    } catch (error) {
      this.#state = undefined
      throw error
    }
  }

  #insert(batch: Batch): number {
    this.#state ??= new LogState(this.#db)
    const events = unpackBatch(batch)
    const last = this.#recorded.insert(events, batch.recordedAt, this.#position)
    this.#state.take(batch, events)
    return last
  }

  /** What became of the log's files while they were open; null when they are where they were. */
  change(): FileChange | null {
    const [database, ...beside] = this.#files.changes()
    if (database !== null && database !== undefined) return database
    // Commits into a file beside it that has lost its name are lost as well.
    return beside.some((change) => change !== null) ? 'removed' : null
  }

  /** Writes the log anew from the files that are still open, under the name that they have lost. Everything committed is in it. */
  restore(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    this.#copyTo(`${this.#path}${UNFINISHED}`)
    renameSync(`${this.#path}${UNFINISHED}`, `${this.#path}${RESTORED}`)
    const old = this.#db
    putRestoredInPlace(this.#path)
    old.close()
    this.#db = openForWriting(this.#path, { mustExist: true })
    ;[this.#recorded, this.#files, this.#write] = this.#prepare()
    this.#state = undefined
  }

  /** Writes the log anew beside the file that has taken its place. @returns where */
  save(): string {
    const path = `${this.#path.replace(/\.db$/, '')}.saved-${this.#position}.db`
    this.#copyTo(path)
    return path
  }

  #copyTo(path: string): void {
    rmSync(path, { force: true })
    this.#db.prepare('VACUUM INTO ?').run(path)
    finishCopy(path)
  }

  /** Upper limit of the file in pages; a full disk for tests. */
  limitPages(pages: number): void {
    this.#maxPages = pages
    this.#db.pragma(`max_page_count = ${pages}`)
  }

  close(): void {
    this.#db.close()
  }
}

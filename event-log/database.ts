import Database from 'better-sqlite3'
import { type ErrorOptions, LabError } from '../events/errors.js'
import { APPLICATION_ID, createSchema, SCHEMA_VERSION } from './schema.js'

/** The file is a database, but not a log this version can use. */
export class ForeignLog extends LabError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('log.foreign', 'state', message, options)
  }
}

/** There is no log at the path. */
export class NoLog extends LabError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('log.missing', 'state', message, options)
  }
}

/** Opens the log for its only writer, making it when the file is new or empty.
 * @throws ForeignLog when the file belongs to something else or to another version; it stays as it is. */
export function openForWriting(path: string): Database.Database {
  const db = new Database(path)
  try {
    if (identify(db, path) === 'empty') createSchema(db)
    db.pragma('journal_mode = WAL')
    // A commit returns only when the write-ahead log is on the medium; NORMAL would lose the last commits with the power.
    db.pragma('synchronous = FULL')
    // Checkpoints of 4 MiB: while the file of the write-ahead log still grows, a commit costs the medium twice as much.
    db.pragma('wal_autocheckpoint = 4000')
    db.pragma('journal_size_limit = 16777216')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens an existing log read-only.
 * @throws NoLog when there is no file, ForeignLog when it is not a log of this version. */
export function openForReading(path: string): Database.Database {
  let db: Database.Database
  try {
    db = new Database(path, { readonly: true, fileMustExist: true })
  } catch (cause) {
    throw new NoLog(`There is no event log at ${path}.`, {
      cause,
      remediation: 'Start the broker once: it makes the log.',
      details: { path },
    })
  }
  try {
    if (identify(db, path) === 'empty') throw new NoLog(`The event log at ${path} is empty.`, { details: { path } })
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** @throws ForeignLog unless the file is empty or a log of this version. */
function identify(db: Database.Database, path: string): 'empty' | 'log' {
  const details = { path }
  let tables: unknown
  try {
    tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  } catch (cause) {
    throw new ForeignLog(`${path} is not an event log: it is not a database.`, { cause, details })
  }
  if (tables === 0) return 'empty'
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new ForeignLog(`${path} is not an event log but some other database.`, { details })
  }
  const version = db.pragma('user_version', { simple: true })
  if (version === SCHEMA_VERSION) return 'log'
  throw new ForeignLog(
    `The event log ${path} has schema version ${String(version)}; this program reads version ${SCHEMA_VERSION}.`,
    {
      remediation: 'Use the version of the program that wrote it, or move the file away to begin a new log.',
      details: { path, version, readable_version: SCHEMA_VERSION },
    },
  )
}

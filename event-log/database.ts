import Database from 'better-sqlite3'
import { defineError } from '../events/core/errors.js'
import { isDamage, logDamaged } from './damage.js'
import { APPLICATION_ID, createSchema, SCHEMA_VERSION } from './schema.js'
import { canUpgrade, type UpgradeProgress, upgradeLog } from './upgrade.js'

/** The file is a database, but not a log this version can use. */
export const ForeignLog = defineError(
  'log.foreign',
  'state',
  'The file of the event log belongs to another program, or to another version of this one.',
)

/** There is no log at the path. */
export const NoLog = defineError('log.missing', 'state', 'There is no event log at the given place.')

export interface OpenOptions {
  /** Fails where there is no log: for a writer that has seen one there. */
  readonly mustExist?: boolean
  readonly onUpgrade?: (progress: UpgradeProgress) => void
}

/** Opens the log for its only writer: makes it when the file is new or empty, and upgrades one of an older version.
 * @throws ForeignLog when the file belongs to something else or to a later version; it stays as it is. LogNotUpgraded, LogDamaged,
 * NoLog */
export function openForWriting(path: string, { mustExist = false, onUpgrade }: OpenOptions = {}): Database.Database {
  const db = mustExist ? openExisting(path, false) : new Database(path)
  try {
    const version = versionOf(db, path)
    if (version !== null && version < SCHEMA_VERSION && canUpgrade(version)) {
      db.close()
      upgradeLog(path, onUpgrade)
      return openForWriting(path, { mustExist: true })
    }
    if (version === null) createSchema(db)
    else refuseOther(version, path)
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
 * @throws NoLog when there is no file, ForeignLog when it is not a log of this version, LogDamaged. */
export function openForReading(path: string): Database.Database {
  const db = openExisting(path, true)
  try {
    const version = versionOf(db, path)
    if (version === null) throw new NoLog(`The event log at ${path} is empty.`, { details: { path } })
    refuseOther(version, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Lets a connection read a file that is shorter than it should be, as far as it goes. */
export function tolerateShortFiles(db: Database.Database): void {
  db.unsafeMode(true)
  db.pragma('writable_schema = ON')
}

/** Opens a log of any version read-only, to see what is left of it. @throws NoLog, ForeignLog, LogDamaged when not even its tables are
 * known */
export function openForInspection(path: string): Database.Database {
  const db = openExisting(path, true)
  try {
    tolerateShortFiles(db)
    versionOf(db, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function openExisting(path: string, readonly: boolean): Database.Database {
  try {
    return new Database(path, { readonly, fileMustExist: true })
  } catch (cause) {
    throw new NoLog(`There is no event log at ${path}.`, {
      cause,
      remediation: 'Start the broker once: it makes the log.',
      details: { path },
    })
  }
}

/** Version of the log, null for an empty file. @throws ForeignLog, LogDamaged */
export function versionOf(db: Database.Database, path: string): number | null {
  let tables: unknown
  try {
    tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    if (!cause.message.includes('not a database')) throw logDamaged(path, cause.message, { cause })
    throw new ForeignLog(`${path} is not an event log: it is not a database.`, {
      cause,
      remediation: 'If it was one, put a backup in its place. Move the file away to begin a new log.',
      details: { path },
    })
  }
  if (tables === 0) return null
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new ForeignLog(`${path} is not an event log but some other database.`, { details: { path } })
  }
  return db.pragma('user_version', { simple: true }) as number
}

/** @throws ForeignLog unless it is this version */
export function refuseOther(version: number, path: string): void {
  if (version === SCHEMA_VERSION) return
  throw new ForeignLog(
    `The event log ${path} has schema version ${version}; this program reads version ${SCHEMA_VERSION}.`,
    {
      remediation: canUpgrade(version)
        ? 'Run benchlog start, or benchlog broker, once: it upgrades the log.'
        : 'Use the version of the program that wrote it, or move the file away to begin a new log.',
      details: { path, version, readable_version: SCHEMA_VERSION },
    },
  )
}

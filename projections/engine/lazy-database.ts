import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { FileIdentity } from '../../event-log/file-identity.js'

/** A read-only database that may not exist yet. */
export interface LazyDatabase<Queries> {
  /** The queries; null as long as there is no database with the tables they need. */
  get(): Queries | null
  /** Why there are none yet. */
  cause(): unknown
  close(): void
}

interface Opened<Queries> {
  readonly database: Database.Database
  readonly queries: Queries
  readonly identity: FileIdentity
}

/** Opens the database when it appears, and again when it was made anew. */
export function openLazily<Queries>(
  path: string,
  prepare: (database: Database.Database) => Queries,
): LazyDatabase<Queries> {
  let opened: Opened<Queries> | null = null
  let cause: unknown
  return {
    get() {
      if (opened?.identity.change() === 'replaced') {
        opened.database.close()
        opened = null
      }
      if (opened === null && existsSync(path)) {
        let database: Database.Database | undefined
        const identity = new FileIdentity(path)
        try {
          database = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 })
          opened = { database, queries: prepare(database), identity }
        } catch (error) {
          // Its tables appear a moment after the file does.
          database?.close()
          cause = error
        }
      }
      return opened?.queries ?? null
    },
    cause: () => cause,
    close: () => opened?.database.close(),
  }
}

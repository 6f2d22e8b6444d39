import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'

/** A read-only database that may not exist yet. */
export interface LazyDatabase<Queries> {
  /** The queries; null as long as there is no database with the tables they need. */
  get(): Queries | null
  /** Why there are none yet. */
  cause(): unknown
  close(): void
}

/** Opens the database when it appears. */
export function openLazily<Queries>(
  path: string,
  prepare: (database: Database.Database) => Queries,
): LazyDatabase<Queries> {
  let opened: { readonly database: Database.Database; readonly queries: Queries } | null = null
  let cause: unknown
  return {
    get() {
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
    cause: () => cause,
    close: () => opened?.database.close(),
  }
}

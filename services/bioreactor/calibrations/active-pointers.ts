import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** A Pioreactor on the same files may hold it for a moment. */
const BUSY_MS = 1000

/** The key-value file of a Pioreactor. */
export const pointersPath = (dotPioreactor: string): string =>
  join(dotPioreactor, 'storage', 'local_persistent_pioreactor_metadata.sqlite')

const DAMAGED = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT'])

/** Which artifact each device uses: a table of the key-value file that a Pioreactor keeps, device → name. The file is opened for each use, so
 * that it may be replaced at any time, as the import of an archive does. */
export class ActivePointers {
  readonly #folder: string
  readonly #path: string
  readonly #table: string

  constructor(dotPioreactor: string, store: 'active_calibrations' | 'active_estimators') {
    this.#folder = join(dotPioreactor, 'storage')
    this.#path = pointersPath(dotPioreactor)
    this.#table = `cache_${store}`
  }

  /** @throws SqliteError when the file is damaged */
  all(): ReadonlyMap<string, string> {
    if (!existsSync(this.#path)) return new Map()
    return this.#with((database) => {
      const there = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(this.#table)
      if (there === undefined) return new Map()
      const rows = database.prepare<[], { key: unknown; value: unknown }>(`SELECT key, value FROM ${this.#table}`).all()
      return new Map(rows.map(({ key, value }) => [String(key), String(value)]))
    })
  }

  /** Whether the file is there, and no database. */
  isDamaged(): boolean {
    try {
      this.all()
      return false
    } catch (error) {
      return error instanceof Database.SqliteError && DAMAGED.has(error.code)
    }
  }

  /** On the medium when it returns. @param name null leaves the device without one */
  set(device: string, name: string | null): void {
    mkdirSync(this.#folder, { recursive: true })
    this.#with((database) => {
      // Types and names of the columns are those of a Pioreactor.
      database.exec(`CREATE TABLE IF NOT EXISTS ${this.#table} (key _key_BLOB PRIMARY KEY, value BLOB)`)
      if (name === null) database.prepare(`DELETE FROM ${this.#table} WHERE key = ?`).run(device)
      else database.prepare(`INSERT OR REPLACE INTO ${this.#table} (key, value) VALUES (?, ?)`).run(device, name)
    })
  }

  #with<T>(work: (database: Database.Database) => T): T {
    const database = new Database(this.#path, { timeout: BUSY_MS })
    try {
      database.pragma('synchronous = FULL')
      return work(database)
    } finally {
      database.close()
    }
  }
}

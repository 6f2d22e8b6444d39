import type Database from 'better-sqlite3'
import { identifier } from './database.js'
import type { FoldEvent } from './fold-event.js'
import type { FoldProjection, Projection, RowsProjection, SqlRow, SqlValue } from './projection.js'

/** The table of one projection, written inside the projector's transaction. */
export interface ProjectionTable {
  readonly projection: Projection
  /** Folds one event. @throws when the event is malformed; the table is then unchanged. */
  apply(event: FoldEvent): void
  /** Writes what `apply` kept in memory. Called before every commit. */
  flush?(): void
  /** Forgets what `apply` kept in memory. Called after a rollback. */
  forget?(): void
}

const list = (columns: readonly string[]): string => columns.map(identifier).join(', ')
const holes = (columns: readonly string[]): string => columns.map(() => '?').join(', ')

/** Opens the table of a projection, making it when it is missing. Its indexes come later: see `createIndexes`. */
export function openTable(database: Database.Database, projection: Projection): ProjectionTable {
  createTable(database, projection)
  return projection.kind === 'rows' ? rowsTable(database, projection) : foldTable(database, projection)
}

function createTable(database: Database.Database, projection: Projection): void {
  const columns = Object.entries(projection.columns).map(([name, type]) => `${identifier(name)} ${type}`)
  const table = identifier(projection.name)
  if (projection.kind === 'rows') database.exec(`CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')})`)
  else {
    const key = `PRIMARY KEY (${list(projection.key)})`
    database.exec(`CREATE TABLE IF NOT EXISTS ${table} (${[...columns, key].join(', ')}) WITHOUT ROWID`)
  }
}

/** Removes the table of a projection with its indexes and views. */
export function dropTable(database: Database.Database, projection: Projection): void {
  for (const view of Object.keys(projection.views ?? {})) database.exec(`DROP VIEW IF EXISTS ${identifier(view)}`)
  database.exec(`DROP TABLE IF EXISTS ${identifier(projection.name)}`)
}

/** Creates the views of a projection where they are missing. */
export function createViews(database: Database.Database, projection: Projection): void {
  for (const [view, select] of Object.entries(projection.views ?? {})) {
    database.exec(`CREATE VIEW IF NOT EXISTS ${identifier(view)} AS ${select}`)
  }
}

/** Creates the missing indexes. A fresh table is filled without them, because building an index at the end costs a fraction of
 * keeping it; duplicates that a unique one would have refused are removed first, the earliest row stays. */
export function createIndexes(database: Database.Database, projection: Projection): void {
  for (const { columns, unique } of projection.indexes ?? []) {
    const name = `${projection.name}_by_${columns.map((column) => column.replace(/ DESC$/, '')).join('_')}`
    if (database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined) continue
    const table = identifier(projection.name)
    const on = columns.map((column) =>
      column.endsWith(' DESC') ? `${identifier(column.slice(0, -5))} DESC` : identifier(column),
    )
    const create = `CREATE ${unique === true ? 'UNIQUE ' : ''}INDEX ${identifier(name)} ON ${table} (${on.join(', ')})`
    try {
      database.exec(create)
    } catch (error) {
      if (unique !== true || !isConstraintViolation(error)) throw error
      const rank = `row_number() OVER (PARTITION BY ${list(columns)} ORDER BY rowid)`
      const later = `SELECT id FROM (SELECT rowid AS id, ${rank} AS n FROM ${table}) WHERE n > 1`
      database.exec(`DELETE FROM ${table} WHERE rowid IN (${later})`)
      database.exec(create)
    }
  }
}

const isConstraintViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT')

/** Rows per statement: crossing into SQLite once for so many saves a third of the time. */
const ROWS_PER_INSERT = 25

/** Rows of a batch are gathered and inserted many at a time. */
function rowsTable(database: Database.Database, projection: RowsProjection): ProjectionTable {
  const columns = Object.keys(projection.columns)
  const width = columns.length + 1
  const row = `(?, ${holes(columns)})`
  const insertRows = (count: number): Database.Statement =>
    database.prepare(
      `INSERT OR IGNORE INTO ${identifier(projection.name)} (rowid, ${list(columns)})
       VALUES ${new Array(count).fill(row).join(', ')}`,
    )
  const insertOne = insertRows(1)
  const insertMany = insertRows(ROWS_PER_INSERT)
  let waiting: SqlValue[] = []

  return {
    projection,
    apply(event) {
      const values = projection.row(event)
      if (values === null) return
      waiting.push(event.position, ...values)
      if (waiting.length < width * ROWS_PER_INSERT) return
      insertMany.run(waiting)
      waiting = []
    },
    flush() {
      for (let at = 0; at < waiting.length; at += width) insertOne.run(waiting.slice(at, at + width))
      waiting = []
    },
    forget() {
      waiting = []
    },
  }
}

/** States of a batch are read once, evolved in memory and written once. */
function foldTable(database: Database.Database, projection: FoldProjection): ProjectionTable {
  const table = identifier(projection.name)
  const columns = Object.keys(projection.columns)
  const where = projection.key.map((column) => `${identifier(column)} = ?`).join(' AND ')
  const select = database.prepare(`SELECT * FROM ${table} WHERE ${where}`)
  const upsert = database.prepare(`INSERT OR REPLACE INTO ${table} (${list(columns)}) VALUES (${holes(columns)})`)
  const remove = database.prepare(`DELETE FROM ${table} WHERE ${where}`)
  const states = new Map<string, { readonly key: readonly SqlValue[]; row: SqlRow | null }>()

  const evolveOne = (event: FoldEvent, key: readonly SqlValue[]): (() => void) => {
    const name = key.length === 1 ? String(key[0]) : key.join('\0')
    const state = states.get(name)
    const before = state === undefined ? ((select.get(...key) as SqlRow | undefined) ?? null) : state.row
    const row = projection.evolve(before, event, key)
    return () => {
      if (state !== undefined) state.row = row
      else if (row !== before) states.set(name, { key, row })
    }
  }

  return {
    projection,
    apply(event) {
      // All rows of an event change or none does.
      const changes = projection.keys(event).map((key) => evolveOne(event, key))
      for (const change of changes) change()
    },
    flush() {
      for (const { key, row } of states.values()) {
        if (row === null) remove.run(...key)
        else upsert.run(...columns.map((column) => row[column] ?? null))
      }
      states.clear()
    },
    forget: () => states.clear(),
  }
}

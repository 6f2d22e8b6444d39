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
const ROWS_PER_INSERT = 50

/** Values of rows that wait for their statement: the shared ones, then rowid and the other values of each row. */
interface WaitingRows {
  readonly shared: readonly SqlValue[]
  values: SqlValue[]
}

/** Rows of a batch are gathered by their shared values and inserted many at a time. */
function rowsTable(database: Database.Database, projection: RowsProjection): ProjectionTable {
  const columns = Object.keys(projection.columns)
  const width = projection.shared ?? 0
  const shared = columns.slice(0, width).map((_, index) => `shared${index}`)
  const own = columns.slice(width).map((_, index) => `column${index + 2}`)
  const row = `(?, ${holes(own)})`
  const rowLength = own.length + 1
  // The cross join keeps the order of the rows, and with it which of two duplicates is the first.
  const insertRows = (count: number): Database.Statement =>
    database.prepare(
      `INSERT OR IGNORE INTO ${identifier(projection.name)} (rowid, ${list(columns)})
       SELECT column1, ${[...shared, ...own].join(', ')}
       FROM (SELECT ${['1', ...shared.map((name) => `? AS ${name}`)].join(', ')})
       CROSS JOIN (VALUES ${new Array(count).fill(row).join(', ')})`,
    )
  const insertOne = insertRows(1)
  const insertMany = insertRows(ROWS_PER_INSERT)
  const waiting = new Map<string, WaitingRows>()
  let latest: WaitingRows | undefined

  const waitingWith = (values: readonly SqlValue[]): WaitingRows => {
    if (latest?.shared.every((value, index) => value === values[index]) === true) return latest
    const first = values.slice(0, width)
    const name = JSON.stringify(first)
    latest = waiting.get(name) ?? { shared: first, values: [...first] }
    waiting.set(name, latest)
    return latest
  }

  const forget = (): void => {
    waiting.clear()
    latest = undefined
  }

  return {
    projection,
    apply(event) {
      const values = projection.row(event)
      if (values === null) return
      const rows = waitingWith(values)
      rows.values.push(event.position)
      for (let index = width; index < values.length; index++) rows.values.push(values[index] ?? null)
      if (rows.values.length < width + rowLength * ROWS_PER_INSERT) return
      insertMany.run(rows.values)
      rows.values = [...rows.shared]
    },
    flush() {
      for (const { shared: first, values } of waiting.values()) {
        for (let at = width; at < values.length; at += rowLength) {
          insertOne.run(...first, ...values.slice(at, at + rowLength))
        }
      }
      forget()
    },
    forget,
  }
}

/** One row of a fold during a batch. */
interface State {
  readonly key: readonly SqlValue[]
  /** The row of the table; null when there is none. */
  readonly stored: SqlRow | null
  row: SqlRow | null
}

/** States of a batch are read once, evolved in memory and written once. */
function foldTable(database: Database.Database, projection: FoldProjection): ProjectionTable {
  const table = identifier(projection.name)
  const columns = Object.keys(projection.columns)
  const where = projection.key.map((column) => `${identifier(column)} = ?`).join(' AND ')
  const select = database.prepare(`SELECT * FROM ${table} WHERE ${where}`)
  const upsert = database.prepare(`INSERT OR REPLACE INTO ${table} (${list(columns)}) VALUES (${holes(columns)})`)
  const remove = database.prepare(`DELETE FROM ${table} WHERE ${where}`)
  const states = new Map<string, State>()
  /** By the levels of a topic, which are one array for all its events. */
  const statesOfTopic = new Map<readonly string[], readonly State[]>()

  const stateOf = (key: readonly SqlValue[]): State => {
    const name = JSON.stringify(key)
    let state = states.get(name)
    if (state === undefined) {
      const stored = (select.get(...key) as SqlRow | undefined) ?? null
      state = { key, stored, row: stored }
      states.set(name, state)
    }
    return state
  }

  const statesOf = (event: FoldEvent): readonly State[] => {
    if (projection.keysFollowTopic !== true) return projection.keys(event).map(stateOf)
    let found = statesOfTopic.get(event.levels)
    if (found === undefined) {
      found = projection.keys(event).map(stateOf)
      statesOfTopic.set(event.levels, found)
    }
    return found
  }

  const forget = (): void => {
    states.clear()
    statesOfTopic.clear()
  }

  return {
    projection,
    apply(event) {
      const concerned = statesOf(event)
      // All rows of an event change or none does.
      const rows = concerned.map((state) => projection.evolve(state.row, event, state.key))
      concerned.forEach((state, index) => {
        state.row = rows[index] ?? null
      })
    },
    flush() {
      for (const { key, stored, row } of states.values()) {
        if (row === stored) continue
        if (row === null) remove.run(...key)
        else upsert.run(...columns.map((column) => row[column] ?? null))
      }
      forget()
    },
    forget,
  }
}

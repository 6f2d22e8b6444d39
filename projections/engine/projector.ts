import type Database from 'better-sqlite3'
import { LabError } from '../../events/core/errors.js'
import type { TextEvent } from '../../events/event.js'
import type { EventLogReader } from '../../events/ports.js'
import { matchesFilter } from '../../events/topic.js'
import { FoldEvent } from './fold-event.js'
import type { Projection } from './projection.js'
import { createIndexes, createViews, dropTable, openTable, type ProjectionTable } from './projection-table.js'

/** Largest batch: one transaction of about 20 ms. */
export const BATCH_EVENTS = 5000
/** Topics of runs and jobs come and go without end; the route cache starts anew at this size. */
const MAX_ROUTES = 20_000

interface Route {
  readonly levels: readonly string[]
  readonly tables: readonly ProjectionTable[]
}

interface Checkpoint {
  readonly position: number
  readonly next: number | null
}

/** Folds a log into tables. Rows and checkpoint are committed together, so that the tables are a function of the log whatever
 * happens in between. */
export class Projector {
  readonly #database: Database.Database
  readonly #log: EventLogReader
  readonly #projections: readonly Projection[]
  readonly #tables: ProjectionTable[] = []
  readonly #foldBatch: Database.Transaction<(limit: number) => number>
  readonly #park: Database.Statement
  readonly #positions: Database.Statement<[], { position: number }>
  readonly #projectionsAt: Database.Statement<[number], { names: string | null }>
  readonly #advance: Database.Statement<[number, number]>
  #routes = new Map<string, Route>()
  #active: readonly ProjectionTable[] = []
  #activeNames = ''

  /** Opens the tables; those of another version are dropped and start again at the first event. */
  constructor(database: Database.Database, log: EventLogReader, projections: readonly Projection[]) {
    this.#database = database
    this.#log = log
    this.#projections = projections
    database.exec(`
      CREATE TABLE IF NOT EXISTS checkpoints (projection TEXT PRIMARY KEY, version INTEGER NOT NULL, position INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS parked_events (
        position INTEGER, projection TEXT, reason TEXT NOT NULL, PRIMARY KEY (projection, position)
      ) WITHOUT ROWID;`)
    this.#park = database.prepare(
      'INSERT OR REPLACE INTO parked_events (position, projection, reason) VALUES (?, ?, ?)',
    )
    this.#positions = database.prepare('SELECT DISTINCT position FROM checkpoints ORDER BY position LIMIT 2')
    this.#projectionsAt = database.prepare(
      "SELECT group_concat(projection, ' ') AS names FROM (SELECT projection FROM checkpoints WHERE position = ? ORDER BY 1)",
    )
    this.#advance = database.prepare('UPDATE checkpoints SET position = ? WHERE position = ?')
    this.#foldBatch = database.transaction((limit: number) => this.#fold(limit))
    database.transaction(() => this.#open()).immediate()
  }

  #open(): void {
    const known = this.#database
      .prepare<[], { projection: string; version: number; position: number }>('SELECT * FROM checkpoints')
      .all()
    const last = this.#log.lastPosition()
    for (const { projection, position } of known) {
      // A projection that no longer exists would hold the common position back; one ahead of the log belongs to another log.
      const gone = !this.#projections.some(({ name }) => name === projection)
      if (gone || position > last) {
        this.#database.prepare('DELETE FROM checkpoints WHERE projection = ?').run(projection)
      }
    }
    for (const projection of this.#projections) {
      const found = known.find((row) => row.projection === projection.name)
      if (found?.version !== projection.version || found.position > last) this.#reset(projection)
      this.#tables.push(openTable(this.#database, projection))
    }
    for (const projection of this.#projections) createViews(this.#database, projection)
  }

  #reset(projection: Projection): void {
    dropTable(this.#database, projection)
    this.#database.prepare('DELETE FROM parked_events WHERE projection = ?').run(projection.name)
    this.#database
      .prepare('INSERT OR REPLACE INTO checkpoints (projection, version, position) VALUES (?, ?, 0)')
      .run(projection.name, projection.version)
  }

  /** Position up to which every projection has folded. */
  get position(): number {
    return this.#checkpoint().position
  }

  #checkpoint(): Checkpoint {
    const positions = this.#positions.all()
    return { position: positions[0]?.position ?? 0, next: positions[1]?.position ?? null }
  }

  /** Folds the next batch in one transaction. @returns how many events it held; 0 when everything is folded. */
  foldNext(limit = BATCH_EVENTS): number {
    try {
      return this.#foldBatch.immediate(limit)
    } catch (error) {
      for (const table of this.#tables) table.forget?.()
      throw error
    }
  }

  /** Creates the indexes that a rebuild left out. Called when everything is folded. */
  createIndexes(): void {
    const create = this.#database.transaction(() => {
      for (const projection of this.#projections) createIndexes(this.#database, projection)
    })
    create.immediate()
  }

  #fold(limit: number): number {
    // Projections that lag behind fold alone until they reach the next checkpoint, then all go on together.
    const { position, next } = this.#checkpoint()
    this.#activate(position)
    const events = this.#log.readText({
      after: position,
      limit: next === null ? limit : Math.min(limit, next - position),
    })
    const last = events.at(-1)
    if (last === undefined) return 0
    for (const event of events) this.#apply(event)
    for (const table of this.#active) table.flush?.()
    this.#advance.run(last.position, position)
    return events.length
  }

  #activate(position: number): void {
    const names = this.#projectionsAt.get(position)?.names ?? ''
    if (names === this.#activeNames) return
    const wanted = new Set(names.split(' '))
    this.#active = this.#tables.filter(({ projection }) => wanted.has(projection.name))
    this.#activeNames = names
    this.#routes.clear()
  }

  #apply(event: TextEvent): void {
    const { topic } = event
    const route = this.#routes.get(topic) ?? this.#routeOf(topic)
    if (route.tables.length === 0) return
    const folded = new FoldEvent(event, route.levels)
    for (const table of route.tables) {
      try {
        table.apply(folded)
      } catch (error) {
        // Trouble with the database is not the event's fault; rows are checked before they get there.
        if (error instanceof Error && error.name === 'SqliteError') throw error
        this.#park.run(event.position, table.projection.name, reasonOf(error))
      }
    }
  }

  #routeOf(topic: string): Route {
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear()
    const tables = this.#active.filter(({ projection }) => projection.on.some((filter) => matchesFilter(filter, topic)))
    const route = { levels: topic.split('/'), tables }
    this.#routes.set(topic, route)
    return route
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof LabError ? error.message : `defect: ${error instanceof Error ? error.message : String(error)}`

import type Database from 'better-sqlite3'
import type { Qos, RecordedEvent } from '../events/event.js'
import type { EventLogReader, ReadOptions } from '../events/ports.js'
import { matchesFilter } from '../events/topic.js'
import { openForReading } from './database.js'

export interface PageOptions extends ReadOptions {
  /** Rows to look at, at most; by default 5000, about 5 ms. */
  readonly scan?: number
}

export interface LogPage {
  readonly events: RecordedEvent[]
  /** Every event up to here was looked at: `after` of the next page. */
  readonly position: number
}

/** A reader that can also be asked for a bounded piece of work. */
export interface PagingEventLogReader extends EventLogReader {
  /** The matches among the next rows. Its work is bounded however rare matches are; a page may be empty before the end.
   * The end is reached when `position` equals `lastPosition()`. */
  page(options: PageOptions): LogPage
}

const SCAN_ROWS = 5000

/** Opens the log for reading; the writer may be at work in any process. Every query is a transaction of its own, so that no read
 * keeps the write-ahead log from being checkpointed. `read` returns fewer than `limit` events only when it reached the end; with a
 * rare filter that is a long walk, which is for worker threads: on a main thread use `page`.
 * @throws NoLog when there is no file, ForeignLog when it is not a log of this version. */
export function openEventLogReader(path: string): PagingEventLogReader {
  return new SqliteReader(openForReading(path))
}

/** A pattern for SQLite's GLOB that matches at least what the topic filter matches: `*` also crosses levels. */
export const globOf = (filter: string): string =>
  filter
    .replace(/(^|\/)#$/, '#')
    .replaceAll(/[[*?]/g, '[$&]')
    .replaceAll(/[+#]/g, '*')

const hasWildcard = (filter: string): boolean => /[+#]/.test(filter)

interface Row {
  readonly position: number
  readonly recordedAt: number
  readonly topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: 0 | 1
  readonly client: string
}

const COLUMNS = 'e.position, e.recorded_at AS recordedAt, e.topic, e.payload, e.qos, e.retain, e.client'

const eventOf = (row: Row): RecordedEvent => ({ ...row, retain: row.retain === 1 })

class SqliteReader implements PagingEventLogReader {
  readonly #db: Database.Database
  readonly #last: Database.Statement
  /** By the text that follows WHERE: a few shapes, prepared once. */
  readonly #statements = new Map<string, Database.Statement<unknown[], Row>>()

  constructor(db: Database.Database) {
    this.#db = db
    this.#last = db.prepare('SELECT coalesce(max(position), 0) FROM events').pluck()
  }

  lastPosition(): number {
    return this.#last.get() as number
  }

  page({ after, limit, topics, from, to, scan = SCAN_ROWS }: PageOptions): LogPage {
    const end = Math.min(after + scan, this.lastPosition())
    if (end <= after) return { events: [], position: after }
    const conditions = ['e.position > ? AND e.position <= ?']
    const values: unknown[] = [after, end]
    if (from !== undefined) {
      conditions.push('e.recorded_at >= ?')
      values.push(from)
    }
    if (to !== undefined) {
      conditions.push('e.recorded_at <= ?')
      values.push(to)
    }
    if (topics !== undefined) {
      conditions.push(
        `(${topics.map((filter) => (hasWildcard(filter) ? 'e.topic GLOB ?' : 'e.topic = ?')).join(' OR ') || '0'})`,
      )
      values.push(...topics.map((filter) => (hasWildcard(filter) ? globOf(filter) : filter)))
    }
    const rows = this.#select(conditions.join(' AND ')).all(...values, limit)
    const matching =
      topics === undefined ? rows : rows.filter(({ topic }) => topics.some((f) => matchesFilter(f, topic)))
    const stoppedEarly = rows.length === limit
    return { events: matching.map(eventOf), position: stoppedEarly ? (rows.at(-1)?.position ?? end) : end }
  }

  read({ after, limit, ...rest }: ReadOptions): RecordedEvent[] {
    const found: RecordedEvent[] = []
    const last = this.lastPosition()
    for (let position = after; position < last && found.length < limit; ) {
      const page = this.page({ after: position, limit: limit - found.length, ...rest })
      for (const event of page.events) found.push(event)
      position = page.position
    }
    return found
  }

  retained(filter: string): RecordedEvent[] {
    const rows = this.#prepared(
      `SELECT ${COLUMNS} FROM retained r JOIN events e ON e.position = r.position WHERE r.topic GLOB ? ORDER BY e.position`,
    ).all(globOf(filter))
    return rows.filter(({ topic }) => matchesFilter(filter, topic)).map(eventOf)
  }

  close(): void {
    this.#db.close()
  }

  #select(where: string): Database.Statement<unknown[], Row> {
    return this.#prepared(`SELECT ${COLUMNS} FROM events e WHERE ${where} ORDER BY e.position LIMIT ?`)
  }

  #prepared(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare<unknown[], Row>(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

import type Database from 'better-sqlite3'
import type { Qos, ReceivedMessage, RecordedEvent, TextEvent } from '../events/event.js'
import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import type { EventLogReader, ReadOptions } from '../events/ports.js'
import { openForReading } from './database.js'
import { LONG_TEXT_BYTES, StoredText, type TextRow } from './stored-text.js'
import { unreleasedStatement } from './unreleased-messages.js'

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

const EVENT_COLUMNS = 'e.position, e.recorded_at, e.topic, e.payload, e.qos, e.retain, e.client'
/** A Buffer costs several times as much as a string. */
const TEXT_COLUMNS = `e.position, e.recorded_at, e.topic,
  CASE WHEN length(e.payload) <= ${LONG_TEXT_BYTES} THEN CAST(e.payload AS TEXT) END, e.retain`

/** The table was written at the last link; the events since have the last word. */
const RETAINED = `
  SELECT ${EVENT_COLUMNS} FROM retained r JOIN recorded e ON e.position = r.position WHERE wanted(r.topic)
  UNION ALL
  SELECT ${EVENT_COLUMNS} FROM recorded e
  WHERE e.position > (SELECT coalesce(max(position), 0) FROM links) AND e.retain = 1 AND wanted(e.topic)`

/** Positional, because named columns double the cost of a row. */
type EventRow = readonly [number, number, string, Buffer, Qos, 0 | 1, string]

const eventOf = ([position, recordedAt, topic, payload, qos, retain, client]: EventRow): RecordedEvent => ({
  position,
  recordedAt,
  topic,
  payload,
  qos,
  retain: retain === 1,
  client,
})

class SqliteReader implements PagingEventLogReader {
  readonly #db: Database.Database
  readonly #last: Database.Statement
  readonly #payload: Database.Statement<[number], Buffer>
  readonly #received: Database.Statement<[], ReceivedMessage>
  /** By their text: a few shapes, prepared once. */
  readonly #statements = new Map<string, Database.Statement>()
  /** Asked by the SQL function `wanted` of the query under way: what clients send never becomes SQL. */
  #wanted: TopicTest = () => true

  constructor(db: Database.Database) {
    this.#db = db
    db.function('wanted', (topic) => (this.#wanted(topic as string) ? 1 : 0))
    this.#last = db.prepare('SELECT coalesce(max(position), 0) FROM recorded').pluck()
    this.#payload = db.prepare<[number], Buffer>('SELECT payload FROM recorded WHERE position = ?').pluck()
    this.#received = unreleasedStatement(db)
  }

  lastPosition(): number {
    return this.#last.get() as number
  }

  page(options: PageOptions): LogPage {
    const { rows, position } = this.#page<EventRow>(EVENT_COLUMNS, options)
    return { events: rows.map(eventOf), position }
  }

  read(options: ReadOptions): RecordedEvent[] {
    return this.#walk<EventRow>(EVENT_COLUMNS, options).map(eventOf)
  }

  readText(options: ReadOptions): TextEvent[] {
    const payloadAt = (position: number): Buffer => this.#payload.get(position) ?? Buffer.alloc(0)
    return this.#walk<TextRow>(TEXT_COLUMNS, options).map((row) => new StoredText(row, payloadAt))
  }

  #walk<Row extends EventRow | TextRow>(columns: string, { after, limit, ...rest }: ReadOptions): Row[] {
    const found: Row[] = []
    const last = this.lastPosition()
    for (let position = after; position < last && found.length < limit; ) {
      const page = this.#page<Row>(columns, { after: position, limit: limit - found.length, ...rest })
      for (const row of page.rows) found.push(row)
      position = page.position
    }
    return found
  }

  #page<Row extends EventRow | TextRow>(
    columns: string,
    { after, limit, match, from, to, scan = SCAN_ROWS }: PageOptions,
  ): { readonly rows: readonly Row[]; readonly position: number } {
    const end = Math.min(after + scan, this.lastPosition())
    if (end <= after) return { rows: [], position: after }
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
    if (match !== undefined) {
      conditions.push('wanted(e.topic)')
      this.#wanted = match
    }
    const sql = `SELECT ${columns} FROM recorded e WHERE ${conditions.join(' AND ')} ORDER BY e.position LIMIT ?`
    const rows = this.#prepared<Row>(sql).all(...values, limit)
    const stoppedEarly = rows.length === limit
    return { rows, position: stoppedEarly ? (rows.at(-1)?.[0] ?? end) : end }
  }

  retained(filter: string): RecordedEvent[] {
    this.#wanted = compileFilters([filter])
    const last = new Map<string, EventRow>()
    for (const row of this.#prepared<EventRow>(RETAINED).all()) {
      const [position, , topic] = row
      // The table's and the tail's row of a topic come in any order.
      if (position < (last.get(topic)?.[0] ?? 0)) continue
      last.set(topic, row)
    }
    const present = [...last.values()].filter(([, , , payload]) => payload.length > 0)
    return present.sort(([a], [b]) => a - b).map(eventOf)
  }

  received(): ReceivedMessage[] {
    return this.#received.all()
  }

  close(): void {
    this.#db.close()
  }

  #prepared<Row>(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql).raw()
      this.#statements.set(sql, statement)
    }
    return statement as Database.Statement<unknown[], Row>
  }
}

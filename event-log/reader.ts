import { isDeepStrictEqual } from 'node:util'
import type Database from 'better-sqlite3'
import type { Qos, ReceivedMessage, RecordedEvent, TextEvent } from '../events/event.js'
import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import type { EventLogReader, ReadOptions } from '../events/ports.js'
import { reportingDamage } from './damage.js'
import { openForReading } from './database.js'
import { FileIdentity } from './file-identity.js'
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
 * A log that was removed and written anew is followed.
 * @throws NoLog when there is no file, ForeignLog when it is not a log of this version; every method LogDamaged. */
export function openEventLogReader(path: string): PagingEventLogReader {
  return new SqliteReader(path)
}

const EVENT_COLUMNS = 'e.position, e.recorded_at, e.topic, e.payload, e.qos, e.retain, e.client'
/** A Buffer costs several times as much as a string. */
const TEXT_COLUMNS = `e.position, e.recorded_at, e.topic,
  CASE WHEN length(e.payload) <= ${LONG_TEXT_BYTES} THEN CAST(e.payload AS TEXT) END, e.retain`

/** The table was written at the last link; the events since then override it. */
const RETAINED = `
  SELECT ${EVENT_COLUMNS} FROM retained r CROSS JOIN recorded e ON e.position = r.position WHERE wanted(r.topic)
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

/** One open file, with its statements. */
class OpenLog {
  readonly db: Database.Database
  readonly #identity: FileIdentity
  readonly #walIdentity: FileIdentity
  readonly last: Database.Statement<[], number>
  readonly payload: Database.Statement<[number], Buffer>
  readonly received: Database.Statement<[], ReceivedMessage>
  /** By their text: a few shapes, prepared once. */
  readonly #statements = new Map<string, Database.Statement>()
  /** Asked by the SQL function `wanted` of the query under way: what clients send never becomes SQL. */
  wanted: TopicTest = () => true

  constructor(path: string) {
    this.#identity = new FileIdentity(path)
    this.db = openForReading(path)
    this.db.function('wanted', (topic) => (this.wanted(topic as string) ? 1 : 0))
    this.last = this.db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM recorded').pluck()
    this.payload = this.db.prepare<[number], Buffer>('SELECT payload FROM recorded WHERE position = ?').pluck()
    this.received = unreleasedStatement(this.db)
    // There from the first read on.
    this.#walIdentity = new FileIdentity(`${path}-wal`)
  }

  prepared<Row>(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql).raw()
      this.#statements.set(sql, statement)
    }
    return statement as Database.Statement<unknown[], Row>
  }

  /** Whether another log has taken the place of this one. A file that was put there by itself, beside the write-ahead log of this one,
   * must not even be opened. */
  isReplaced(): boolean {
    return this.#identity.change() === 'replaced' && this.#walIdentity.change() !== null
  }

  /** Whether the other holds everything that is in this one. */
  isContinuedIn(other: OpenLog): boolean {
    const last = this.last.get() ?? 0
    const [here, there] = [this, other].map(({ db }) =>
      db.prepare('SELECT recorded_at, topic, payload FROM recorded WHERE position = ?').raw().get(last),
    )
    return isDeepStrictEqual(here, there)
  }
}

class SqliteReader implements PagingEventLogReader {
  readonly #path: string
  #log: OpenLog
  /** The file in the log's place that is not its continuation. */
  #strange: FileIdentity | undefined

  constructor(path: string) {
    this.#path = path
    this.#log = reportingDamage(path, () => new OpenLog(path))
  }

  lastPosition(): number {
    return this.#reading(({ last }) => last.get() ?? 0)
  }

  page(options: PageOptions): LogPage {
    return this.#reading((log) => {
      const { rows, position } = page<EventRow>(log, EVENT_COLUMNS, options)
      return { events: rows.map(eventOf), position }
    })
  }

  read(options: ReadOptions): RecordedEvent[] {
    return this.#reading((log) => walk<EventRow>(log, EVENT_COLUMNS, options).map(eventOf))
  }

  readText(options: ReadOptions): TextEvent[] {
    const payloadAt = (position: number): Buffer =>
      this.#reading(({ payload }) => payload.get(position) ?? Buffer.alloc(0))
    return this.#reading((log) =>
      walk<TextRow>(log, TEXT_COLUMNS, options).map((row) => new StoredText(row, payloadAt)),
    )
  }

  retained(filter: string): RecordedEvent[] {
    return this.#reading((log) => {
      log.wanted = compileFilters([filter])
      const last = new Map<string, EventRow>()
      for (const row of log.prepared<EventRow>(RETAINED).all()) {
        const [position, , topic] = row
        // The table's and the tail's row of a topic come in any order.
        if (position > (last.get(topic)?.[0] ?? 0)) last.set(topic, row)
      }
      const present = [...last.values()].filter(([, , , payload]) => payload.length > 0)
      return present.sort(([a], [b]) => a - b).map(eventOf)
    })
  }

  received(): ReceivedMessage[] {
    return this.#reading(({ received }) => received.all())
  }

  close(): void {
    this.#log.db.close()
  }

  #reading<T>(read: (log: OpenLog) => T): T {
    return reportingDamage(this.#path, () => {
      if (this.#log.isReplaced() && this.#strange?.change() !== null) this.#follow()
      return read(this.#log)
    })
  }

  /** The writer writes a log that was removed anew; a strange one in its place is not read. */
  #follow(): void {
    this.#strange = new FileIdentity(this.#path)
    let other: OpenLog | undefined
    try {
      other = new OpenLog(this.#path)
      if (this.#log.isContinuedIn(other)) [this.#log, other] = [other, this.#log]
    } catch {
      // It is no log: the open file can still be read.
    }
    other?.db.close()
  }
}

function walk<Row extends EventRow | TextRow>(
  log: OpenLog,
  columns: string,
  { after, limit, ...rest }: ReadOptions,
): Row[] {
  const found: Row[] = []
  const last = log.last.get() ?? 0
  for (let position = after; position < last && found.length < limit; ) {
    const next = page<Row>(log, columns, { after: position, limit: limit - found.length, ...rest })
    for (const row of next.rows) found.push(row)
    position = next.position
  }
  return found
}

function page<Row extends EventRow | TextRow>(
  log: OpenLog,
  columns: string,
  { after, limit, match, from, to, scan = SCAN_ROWS }: PageOptions,
): { readonly rows: readonly Row[]; readonly position: number } {
  const end = Math.min(after + scan, log.last.get() ?? 0)
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
    log.wanted = match
  }
  const sql = `SELECT ${columns} FROM recorded e WHERE ${conditions.join(' AND ')} ORDER BY e.position LIMIT ?`
  const rows = log.prepared<Row>(sql).all(...values, limit)
  const stoppedEarly = rows.length === limit
  return { rows, position: stoppedEarly ? (rows.at(-1)?.[0] ?? end) : end }
}

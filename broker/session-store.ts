// Longer than 300 lines: every statement on the database of the sessions is in one place.

import type Database from 'better-sqlite3'
import type { Qos } from '../events/event.js'
import type { Clock, Logger } from '../events/ports.js'
import { openSessionDatabase } from './session-database.js'

/** A message of QoS 2 is `sent`; when PUBREC came PUBREL is sent instead, and what the client was not to get any more is `abandoned`:
 * it may have it, so the identifier stays taken. */
export const QOS2_STATES = ['sent', 'released', 'abandoned'] as const
export type Qos2State = (typeof QOS2_STATES)[number]

/** A message sent with QoS 1 or 2 and not yet acknowledged. */
export interface InFlight {
  readonly position: number
  readonly qos: Qos
  readonly retain: boolean
  /** Of QoS 2; otherwise always `sent`. */
  state: Qos2State
}

export interface SessionSubscription {
  readonly qos: Qos
  /** Only events after this position. */
  readonly since: number
  /** Its retained values are not all sent yet. */
  readonly replay: boolean
}

/** A persistent session as it was saved. */
export interface SavedSession {
  /** Every event up to here was considered. */
  readonly sent: number
  /** The client was connected when the process ended: events after `sent` may have been sent, too. */
  readonly attached: boolean
  readonly subscriptions: ReadonlyMap<string, SessionSubscription>
  /** By packet identifier, in the order sent. */
  readonly inFlight: ReadonlyMap<number, InFlight>
}

/** What a session has to be saved of itself. */
export interface SessionSnapshot {
  readonly client: string
  readonly sent: number
  readonly attached: boolean
  readonly inFlight: ReadonlyMap<number, InFlight>
  /** Identifiers of QoS 2 messages that are complete. */
  readonly completed: Iterable<number>
  /** Filters whose retained values are sent. */
  readonly replayed: Iterable<string>
}

/** A session whose cursor moves. */
export interface MovingSession {
  snapshot(): SessionSnapshot
  /** The last snapshot is written. */
  saved(): void
}

/** Moved cursors are written together so often: after a kill a second's messages are repeated at most. */
const SAVE_MS = 900
const RETRY_MS = 500
/** Sessions in one transaction; the others follow in the next turn. */
const SAVED_AT_ONCE = 50

type InFlightRow = readonly [messageId: number, position: number, retain: 0 | 1]

/** Persistent sessions on disk: cursors into the log, no messages. It is not fsynced. */
export class SessionStore {
  readonly #db: Database.Database
  readonly #clock: Clock
  readonly #logger: Logger
  /** Called after each transaction. */
  readonly #onWritten: () => void
  #changes: (() => void)[] = []
  readonly #moved = new Set<MovingSession>()
  #saving: NodeJS.Timeout | undefined
  /** What the end of this turn brings. */
  #soon: 'nothing' | 'flush' | 'save' = 'nothing'
  #failing = false
  readonly #run: (work: () => void) => void
  readonly #statements

  constructor(
    path: string,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    onWritten: () => void,
  ) {
    this.#clock = clock
    this.#logger = logger
    this.#onWritten = onWritten
    this.#db = openSessionDatabase(path, logger)
    this.#run = this.#db.transaction((work: () => void) => work())
    const prepare = (sql: string): Database.Statement => this.#db.prepare(sql)
    this.#statements = {
      exists: prepare('SELECT 1 FROM sessions WHERE client = ?').pluck(),
      count: prepare('SELECT count(*) FROM sessions').pluck(),
      oldest: prepare('SELECT client FROM sessions WHERE seen < ? ORDER BY seen LIMIT ?').pluck(),
      session: prepare('SELECT sent, attached, in_flight FROM sessions WHERE client = ?'),
      subscriptions: prepare('SELECT filter, qos, since, replay FROM subscriptions WHERE client = ?'),
      exactlyOnce: prepare(
        'SELECT message_id, position, retain, state FROM exactly_once WHERE client = ? ORDER BY position, message_id',
      ),
      save: prepare(
        `INSERT INTO sessions (client, sent, in_flight, attached, seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT (client) DO UPDATE
           SET sent = excluded.sent, in_flight = excluded.in_flight, attached = excluded.attached, seen = excluded.seen`,
      ),
      subscribe: prepare('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?)'),
      unsubscribe: prepare('DELETE FROM subscriptions WHERE client = ? AND filter = ?'),
      replayed: prepare('UPDATE subscriptions SET replay = 0 WHERE client = ? AND filter = ?'),
      send: prepare('INSERT OR REPLACE INTO exactly_once VALUES (?, ?, ?, ?, ?)'),
      complete: prepare('DELETE FROM exactly_once WHERE client = ? AND message_id = ?'),
      remove: ['sessions', 'subscriptions', 'exactly_once'].map((table) =>
        prepare(`DELETE FROM ${table} WHERE client = ?`),
      ),
    }
    // Who was connected until the process ended was last seen then, however long ago its cursor moved.
    const seen = prepare('UPDATE sessions SET seen = ? WHERE attached = 1')
    const startedAt = this.#now()
    this.#change(() => seen.run(startedAt))
  }

  has(client: string): boolean {
    this.flush()
    return this.#statements.exists.get(client) !== undefined
  }

  count(): number {
    this.flush()
    return Number(this.#statements.count.get())
  }

  /** Sessions last seen before that time, those longest away first. */
  seenBefore(time: number, limit: number): string[] {
    // What waits for the disk is asked again when it is written.
    if (!this.flush()) return []
    return this.#statements.oldest.all(time, limit).map(String)
  }

  find(client: string): SavedSession | undefined {
    this.flush()
    const row = this.#statements.session.get(client) as
      | { readonly sent: number; readonly attached: 0 | 1; readonly in_flight: string }
      | undefined
    if (row === undefined) return undefined
    const subscriptions = new Map<string, SessionSubscription>()
    for (const found of this.#statements.subscriptions.all(client)) {
      const { filter, qos, since, replay } = found as SubscriptionRow
      subscriptions.set(filter, { qos, since, replay: replay === 1 })
    }
    const inFlight: [number, InFlight][] = []
    for (const [messageId, position, retain] of JSON.parse(row.in_flight) as readonly InFlightRow[]) {
      inFlight.push([messageId, { position, qos: 1, retain: retain === 1, state: 'sent' }])
    }
    for (const found of this.#statements.exactlyOnce.all(client)) {
      const { message_id, position, retain, state } = found as ExactlyOnceRow
      inFlight.push([message_id, { position, qos: 2, retain: retain === 1, state: QOS2_STATES[state] ?? 'sent' }])
    }
    inFlight.sort(([, one], [, other]) => one.position - other.position)
    return { sent: row.sent, attached: row.attached === 1, subscriptions, inFlight: new Map(inFlight) }
  }

  subscribe(client: string, filter: string, { qos, since, replay }: SessionSubscription): void {
    this.#change(() => this.#statements.subscribe.run(client, filter, qos, since, replay ? 1 : 0))
  }

  unsubscribe(client: string, filter: string): void {
    this.#change(() => this.#statements.unsubscribe.run(client, filter))
  }

  /** A message of QoS 2 is sent next, or its state has changed. */
  keep(client: string, messageId: number, { position, retain, state }: InFlight): void {
    const index = QOS2_STATES.indexOf(state)
    this.#change(() => this.#statements.send.run(client, messageId, position, retain ? 1 : 0, index))
  }

  remove(client: string): void {
    this.#change(() => {
      for (const statement of this.#statements.remove) statement.run(client)
    })
  }

  /** The session's cursor is written within a second. */
  moved(session: MovingSession): void {
    this.#moved.add(session)
    this.#saving ??= this.#saveAfter(SAVE_MS)
  }

  saveNow(session: MovingSession): void {
    this.#moved.add(session)
    this.#write([session])
  }

  /** Whether the session has moved since it was written. */
  isMoving(session: MovingSession): boolean {
    return this.#moved.has(session)
  }

  /** Nothing of the session is written any more. */
  forget(session: MovingSession): void {
    this.#moved.delete(session)
  }

  /** Writes changes that must not be lost with the process. @returns false when they wait, because the disk is full */
  flush(): boolean {
    if (this.#changes.length === 0) return true
    return this.#write([])
  }

  /** Writes the changes and the cursors that moved, some at a time. On a full disk they wait for the next time. */
  save(): boolean {
    clearTimeout(this.#saving)
    this.#saving = undefined
    if (this.#changes.length === 0 && this.#moved.size === 0) return true
    const written = this.#write([...this.#moved].slice(0, SAVED_AT_ONCE))
    if (written && this.#moved.size > 0) this.saveSoon()
    return written
  }

  /** Saves at the end of this turn. */
  saveSoon(): void {
    this.#atEndOfTurn('save')
  }

  close(): void {
    while (this.save() && this.#moved.size > 0);
    clearTimeout(this.#saving)
    this.#db.close()
  }

  #change(change: () => void): void {
    this.#changes.push(change)
    this.#atEndOfTurn('flush')
  }

  #atEndOfTurn(work: 'flush' | 'save'): void {
    const scheduled = this.#soon !== 'nothing'
    if (this.#soon !== 'save') this.#soon = work
    if (scheduled) return
    setImmediate(() => {
      const soon = this.#soon
      this.#soon = 'nothing'
      if (!this.#db.open) return
      if (soon === 'save') this.save()
      else this.flush()
    })
  }

  #write(sessions: readonly MovingSession[]): boolean {
    try {
      this.#run(() => {
        for (const change of this.#changes) change()
        for (const session of sessions) this.#save(session.snapshot())
      })
    } catch (error) {
      if (!this.#failing) this.#logger.warn({ err: error }, 'sessions cannot be written')
      this.#failing = true
      this.#saving ??= this.#saveAfter(RETRY_MS)
      return false
    }
    this.#failing = false
    this.#changes = []
    for (const session of sessions) {
      this.#moved.delete(session)
      session.saved()
    }
    this.#onWritten()
    return true
  }

  #save({ client, sent, attached, inFlight, completed, replayed }: SessionSnapshot): void {
    const rows: InFlightRow[] = []
    for (const [messageId, { qos, position, retain }] of inFlight) {
      if (qos === 1) rows.push([messageId, position, retain ? 1 : 0])
    }
    this.#statements.save.run(client, sent, JSON.stringify(rows), attached ? 1 : 0, this.#now())
    for (const messageId of completed) this.#statements.complete.run(client, messageId)
    for (const filter of replayed) this.#statements.replayed.run(client, filter)
  }

  #saveAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.#db.open) this.save()
    }, ms).unref()
  }

  #now(): number {
    return this.#clock.now().getTime()
  }
}

interface SubscriptionRow {
  readonly filter: string
  readonly qos: Qos
  readonly since: number
  readonly replay: 0 | 1
}

interface ExactlyOnceRow {
  readonly message_id: number
  readonly position: number
  readonly retain: 0 | 1
  readonly state: number
}

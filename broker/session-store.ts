import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Qos } from '../events/event.js'
import type { Logger } from '../events/ports.js'

/** A message sent with QoS 1 or 2 and not yet acknowledged. `released`: PUBREC came, PUBREL was sent. */
export interface InFlight {
  readonly position: number
  readonly qos: Qos
  readonly retain: boolean
  released: boolean
}

export interface SessionSubscription {
  readonly qos: Qos
  /** Only events after this position. */
  readonly since: number
}

export interface SessionState {
  readonly client: string
  /** Every event up to here was sent, and is in flight or acknowledged. */
  sent: number
  readonly subscriptions: Map<string, SessionSubscription>
  /** By packet identifier, in the order sent. */
  readonly inFlight: Map<number, InFlight>
  /** Packet identifiers of QoS 2 messages received and not yet released. */
  readonly received: Set<number>
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (client TEXT PRIMARY KEY, sent INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subscriptions (
    client TEXT, filter TEXT, qos INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (client, filter)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS in_flight (
    client TEXT, message_id INTEGER, position INTEGER NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL,
    released INTEGER NOT NULL, PRIMARY KEY (client, message_id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS received (client TEXT, message_id INTEGER, PRIMARY KEY (client, message_id)) WITHOUT ROWID;
`

/** Persistent sessions on disk: cursors into the log, no messages. Changes of one turn are one transaction; it is not fsynced,
 * because a lost cursor repeats messages but loses none. */
export class SessionStore {
  readonly #db: Database.Database
  readonly #logger: Logger
  #changes: (() => void)[] = []
  #scheduled = false
  #failing = false
  readonly #run: (changes: readonly (() => void)[]) => void
  readonly #statements

  constructor(path: string, logger: Logger) {
    this.#logger = logger
    this.#db = openSessions(path, logger)
    this.#run = this.#db.transaction((changes: readonly (() => void)[]) => {
      for (const change of changes) change()
    })
    const prepare = (sql: string): Database.Statement => this.#db.prepare(sql)
    this.#statements = {
      save: prepare('INSERT INTO sessions VALUES (?, ?) ON CONFLICT DO UPDATE SET sent = excluded.sent'),
      subscribe: prepare('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?)'),
      unsubscribe: prepare('DELETE FROM subscriptions WHERE client = ? AND filter = ?'),
      send: prepare('INSERT OR REPLACE INTO in_flight VALUES (?, ?, ?, ?, ?, 0)'),
      release: prepare('UPDATE in_flight SET released = 1 WHERE client = ? AND message_id = ?'),
      acknowledge: prepare('DELETE FROM in_flight WHERE client = ? AND message_id = ?'),
      receive: prepare('INSERT OR IGNORE INTO received VALUES (?, ?)'),
      complete: prepare('DELETE FROM received WHERE client = ? AND message_id = ?'),
      remove: ['sessions', 'subscriptions', 'in_flight', 'received'].map((table) =>
        prepare(`DELETE FROM ${table} WHERE client = ?`),
      ),
    }
  }

  load(): SessionState[] {
    type Row<T> = T & { readonly client: string }
    const rows = <T>(sql: string): Row<T>[] => this.#db.prepare<[], Row<T>>(sql).all()
    const states = new Map<string, SessionState>()
    for (const { client, sent } of rows<{ sent: number }>('SELECT * FROM sessions')) {
      states.set(client, { client, sent, subscriptions: new Map(), inFlight: new Map(), received: new Set() })
    }
    for (const { client, filter, qos, since } of rows<SessionSubscription & { filter: string }>(
      'SELECT * FROM subscriptions',
    )) {
      states.get(client)?.subscriptions.set(filter, { qos, since })
    }
    for (const { client, message_id, position, qos, retain, released } of rows<{
      message_id: number
      position: number
      qos: Qos
      retain: number
      released: number
    }>('SELECT * FROM in_flight ORDER BY position, message_id')) {
      const inFlight = { position, qos, retain: retain === 1, released: released === 1 }
      states.get(client)?.inFlight.set(message_id, inFlight)
    }
    for (const { client, message_id } of rows<{ message_id: number }>('SELECT * FROM received')) {
      states.get(client)?.received.add(message_id)
    }
    return [...states.values()]
  }

  save(client: string, sent: number): void {
    this.#change(() => this.#statements.save.run(client, sent))
  }

  subscribe(client: string, filter: string, { qos, since }: SessionSubscription): void {
    this.#change(() => this.#statements.subscribe.run(client, filter, qos, since))
  }

  unsubscribe(client: string, filter: string): void {
    this.#change(() => this.#statements.unsubscribe.run(client, filter))
  }

  send(client: string, messageId: number, { position, qos, retain }: InFlight): void {
    this.#change(() => this.#statements.send.run(client, messageId, position, qos, retain ? 1 : 0))
  }

  release(client: string, messageId: number): void {
    this.#change(() => this.#statements.release.run(client, messageId))
  }

  acknowledge(client: string, messageId: number): void {
    this.#change(() => this.#statements.acknowledge.run(client, messageId))
  }

  receive(client: string, messageId: number): void {
    this.#change(() => this.#statements.receive.run(client, messageId))
  }

  complete(client: string, messageId: number): void {
    this.#change(() => this.#statements.complete.run(client, messageId))
  }

  remove(client: string): void {
    this.#change(() => {
      for (const statement of this.#statements.remove) statement.run(client)
    })
  }

  /** Writes what changed. On a full disk the changes wait for the next call. */
  flush(): void {
    if (this.#changes.length === 0) return
    try {
      this.#run(this.#changes)
      this.#changes = []
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#logger.warn({ error }, 'sessions cannot be written')
      this.#failing = true
    }
  }

  close(): void {
    this.flush()
    this.#db.close()
  }

  #change(change: () => void): void {
    this.#changes.push(change)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#db.open) this.flush()
    })
  }
}

/** Opens the file, or a new one when it was damaged: without fsync a power cut can do that. */
function openSessions(path: string, logger: Logger): Database.Database {
  try {
    return prepareDatabase(path)
  } catch (error) {
    logger.warn({ path, error }, 'sessions are unreadable and start anew')
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    return prepareDatabase(path)
  }
}

function prepareDatabase(path: string): Database.Database {
  const db = new Database(path)
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = OFF')
    const state = db.pragma('quick_check(1)', { simple: true })
    if (state !== 'ok') throw new Error(String(state))
    db.exec(SCHEMA)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

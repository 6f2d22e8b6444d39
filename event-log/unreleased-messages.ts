import type Database from 'better-sqlite3'
import type { ReceivedMessage, Release } from '../events/event.js'

/** Recorded with an identifier and not released: those of the table at the last link and those since, less what was released since. In
 * the order of a CROSS JOIN, because SQLite would go through all events to have them sorted. */
const UNRELEASED = `
  SELECT client, message_id AS messageId, position FROM (
    SELECT e.client, e.message_id, e.position FROM unreleased u CROSS JOIN recorded e ON e.position = u.position
    UNION ALL
    SELECT client, message_id, position FROM recorded
    WHERE position > (SELECT coalesce(max(position), 0) FROM links) AND message_id IS NOT NULL
  ) AS m
  WHERE NOT EXISTS (SELECT 1 FROM released r WHERE r.client = m.client AND r.position >= m.position)
    AND NOT EXISTS (SELECT 1 FROM released_early r WHERE r.position = m.position)
  ORDER BY position`

/** Ready to be asked, of any connection, for the QoS 2 messages that are not yet released. */
export const unreleasedStatement = (db: Database.Database): Database.Statement<[], ReceivedMessage> =>
  db.prepare<[], ReceivedMessage>(UNRELEASED)

/** QoS 2 identifiers as the writer knows them. Clients release in the order in which they were answered [MQTT-4.6.0-4], so that one
 * position per client tells nearly all; the exceptions are kept one by one. All methods are called within the transaction of the
 * events; after a rollback a new instance is read from the log. */
export class UnreleasedMessages {
  /** By client, positions by identifier, in order of position. */
  readonly #clients = new Map<string, Map<number, number>>()
  /** Positions in the table `unreleased`. */
  readonly #stored: Set<number>
  readonly #statements

  constructor(db: Database.Database) {
    this.#statements = {
      release: db.prepare(
        'INSERT INTO released VALUES (?, ?) ON CONFLICT (client) DO UPDATE SET position = excluded.position',
      ),
      releaseEarly: db.prepare('INSERT INTO released_early VALUES (?)'),
      add: db.prepare('INSERT INTO unreleased VALUES (?)'),
      remove: db.prepare('DELETE FROM unreleased WHERE position = ?'),
      forget: [db.prepare('DELETE FROM released'), db.prepare('DELETE FROM released_early')],
    }
    for (const { client, messageId, position } of unreleasedStatement(db).all()) this.add(client, messageId, position)
    this.#stored = new Set(db.prepare<[], number>('SELECT position FROM unreleased').pluck().all())
  }

  add(client: string, messageId: number, position: number): void {
    let ids = this.#clients.get(client)
    if (ids === undefined) {
      ids = new Map()
      this.#clients.set(client, ids)
    }
    // An identifier that comes again without having been released stands for the new message alone.
    if (ids.has(messageId)) this.#releaseOne(client, ids, messageId)
    ids.set(messageId, position)
    this.#clients.set(client, ids)
  }

  release(release: Release): void {
    const ids = this.#clients.get(release.client)
    if (ids === undefined) return
    if ('messageId' in release) this.#releaseOne(release.client, ids, release.messageId)
    else {
      this.#statements.release.run(release.client, [...ids.values()].at(-1))
      ids.clear()
    }
    if (ids.size === 0) this.#clients.delete(release.client)
  }

  #releaseOne(client: string, ids: Map<number, number>, messageId: number): void {
    const position = ids.get(messageId)
    if (position === undefined) return
    const [oldest] = ids.values()
    if (position === oldest) this.#statements.release.run(client, position)
    else this.#statements.releaseEarly.run(position)
    ids.delete(messageId)
  }

  /** Brings the table up to the present: what was released so far is forgotten, what was not is listed. */
  write(): void {
    const present = new Set([...this.#clients.values()].flatMap((ids) => [...ids.values()]))
    for (const position of this.#stored) if (!present.has(position)) this.#remove(position)
    for (const position of present) if (!this.#stored.has(position)) this.#add(position)
    for (const statement of this.#statements.forget) statement.run()
  }

  #add(position: number): void {
    this.#statements.add.run(position)
    this.#stored.add(position)
  }

  #remove(position: number): void {
    this.#statements.remove.run(position)
    this.#stored.delete(position)
  }
}

import type Database from 'better-sqlite3'

/** Where the retained values went since the last link: kept in memory, so that an event alone writes its own page only. Within the
 * transaction of the events; after a rollback a new instance is read from the log. */
export class RetainedChanges {
  /** By topic; null when it was cleared. */
  readonly #changed = new Map<string, number | null>()
  readonly #put: Database.Statement
  readonly #remove: Database.Statement

  constructor(db: Database.Database) {
    this.#put = db.prepare(
      'INSERT INTO retained VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET position = excluded.position',
    )
    this.#remove = db.prepare('DELETE FROM retained WHERE topic = ?')
  }

  /** How many topics changed. */
  get topics(): number {
    return this.#changed.size
  }

  /** A retained event came. */
  keep(topic: string, position: number, payloadBytes: number): void {
    this.#changed.set(topic, payloadBytes === 0 ? null : position)
  }

  /** Brings the table up to the present. */
  write(): void {
    for (const [topic, position] of this.#changed) {
      if (position === null) this.#remove.run(topic)
      else this.#put.run(topic, position)
    }
    this.#changed.clear()
  }
}

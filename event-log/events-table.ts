import type Database from 'better-sqlite3'
import { type Batch, unpackBatch } from './batch.js'

/** Rows of one statement: calling a statement costs as much as two of its rows. */
const ROWS = 32
const ROW = '(?, ?, ?, ?, ?, ?, ?)'
const COLUMNS = 7

/** The writer's access to the table `events`. */
export interface EventsTable {
  lastPosition(): number
  /** Inserts a batch after a position, within a transaction.
   * @returns the last position, and for each topic of a retained event where its value is now; null when it was cleared */
  insert(batch: Batch, after: number): { readonly last: number; readonly retained: ReadonlyMap<string, number | null> }
}

export function openEvents(db: Database.Database): EventsTable {
  const lastPosition = db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM events').pluck()
  const insertOne = db.prepare(`INSERT INTO events VALUES ${ROW}`)
  const insertRows = db.prepare(`INSERT INTO events VALUES ${Array(ROWS).fill(ROW).join(', ')}`)
  return {
    lastPosition: () => lastPosition.get() ?? 0,
    insert(batch, after) {
      const retained = new Map<string, number | null>()
      let position = after
      let values: unknown[] = []
      for (const { topic, payload, qos, retain, client } of unpackBatch(batch)) {
        values.push(++position, batch.recordedAt, topic, payload, qos, retain ? 1 : 0, client)
        if (retain) retained.set(topic, payload.length === 0 ? null : position)
        if (values.length < ROWS * COLUMNS) continue
        insertRows.run(values)
        values = []
      }
      for (let at = 0; at < values.length; at += COLUMNS) insertOne.run(values.slice(at, at + COLUMNS))
      return { last: position, retained }
    },
  }
}

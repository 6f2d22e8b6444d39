import type Database from 'better-sqlite3'
import type { BatchEvent } from './batch.js'

/** Rows of one statement: calling a statement costs as much as two of its rows. */
const ROWS = 32
const ROW = '(?, ?, ?, ?, ?, ?, ?, ?)'
const COLUMNS = 8

/** The writer's access to the table `recorded`. */
export interface RecordedTable {
  lastPosition(): number
  /** Inserts events after a position, within a transaction. @returns the last position */
  insert(events: readonly BatchEvent[], recordedAt: number, after: number): number
}

export function openRecorded(db: Database.Database): RecordedTable {
  const lastPosition = db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM recorded').pluck()
  const insertOne = db.prepare(`INSERT INTO recorded VALUES ${ROW}`)
  const insertRows = db.prepare(`INSERT INTO recorded VALUES ${Array(ROWS).fill(ROW).join(', ')}`)
  return {
    lastPosition: () => lastPosition.get() ?? 0,
    insert(events, recordedAt, after) {
      let position = after
      let values: unknown[] = []
      for (const { topic, payload, qos, retain, client, messageId } of events) {
        values.push(++position, recordedAt, topic, payload, qos, retain ? 1 : 0, client, messageId || null)
        if (values.length < ROWS * COLUMNS) continue
        insertRows.run(values)
        values = []
      }
      for (let at = 0; at < values.length; at += COLUMNS) insertOne.run(values.slice(at, at + COLUMNS))
      return position
    },
  }
}

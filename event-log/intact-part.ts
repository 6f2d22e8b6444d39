import type Database from 'better-sqlite3'
import { timestampOf } from '../events/core/timestamp.js'
import { openForInspection } from './database.js'

/** What can be read of a log from its first event on, without a gap. */
export interface IntactPart {
  /** Last position of it; 0 for nothing. */
  readonly last: number
  /** ms UTC; null for nothing. */
  readonly recordedAt: number | null
  /** Why it ends there; null when that is the end of the log. */
  readonly damage: string | null
}

type Row = readonly [position: number, recordedAt: number, topic: string, payload: Buffer, client: string]

/** Goes through a log of any version from the first event to the first that cannot be read: seconds for millions. */
export function intactPart(db: Database.Database): IntactPart {
  let last = 0
  let recordedAt: number | null = null
  try {
    const rows = db
      .prepare<[], Row>('SELECT position, recorded_at, topic, payload, client FROM events ORDER BY position')
      .raw()
    for (const row of rows.iterate()) {
      if (row[0] !== last + 1) return { last, recordedAt, damage: `position ${last + 1} is missing` }
      last = row[0]
      recordedAt = row[1]
    }
    return { last, recordedAt, damage: null }
  } catch (error) {
    return { last, recordedAt, damage: error instanceof Error ? error.message : String(error) }
  }
}

/** One sentence that says what is left of a damaged log. */
export function whatIsIntact(path: string): string {
  const nothing = 'None of its events can be read.'
  let db: Database.Database
  try {
    db = openForInspection(path)
  } catch {
    return nothing
  }
  try {
    const { last, recordedAt, damage } = intactPart(db)
    if (recordedAt === null) return nothing
    const events = `events 1 to ${last} can be read, the last of them of ${timestampOf(new Date(recordedAt))}`
    return damage === null
      ? `All its ${events}; other parts of the file cannot.`
      : `Its ${events}; what comes after cannot.`
  } finally {
    db.close()
  }
}

import type Database from 'better-sqlite3'

/** A slice is a second of work. */
const SLICE_EVENTS = 250_000

/** Copies the events up to a position from the database attached as `old`.
 * @param messageId the expression that gives the packet identifier there */
export function copyEvents(
  db: Database.Database,
  { table, messageId, upTo }: { readonly table: string; readonly messageId: string; readonly upTo: number },
  progress: (position: number) => void,
): void {
  const copy = db.prepare(`
    INSERT INTO main.recorded
    SELECT position, recorded_at, topic, payload, qos, retain, client, ${messageId}
    FROM old.${table} WHERE position > ? ORDER BY position LIMIT ?`)
  for (let position = 0; position < upTo; ) {
    const end = Math.min(position + SLICE_EVENTS, upTo)
    // Not by the position: that would look at the row behind it, which may not be readable.
    copy.run(position, end - position)
    position = end
    progress(position)
  }
}

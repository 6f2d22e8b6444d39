import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Cursor } from './cursor-file.js'

/** When an event was recorded, ms UTC; 0 when there is none at that position. */
export const recordedAt = (reader: PagingEventLogReader, position: number): number =>
  position === 0 ? 0 : (reader.page({ after: position - 1, limit: 1, scan: 1 }).events[0]?.recordedAt ?? 0)

/** The position up to which the peer needs nothing. A peer that is new is served from now on. After a repair, or in a copy put in its place, the
 * event of the cursor may be another one: then from the first event on that is younger than what the peer has.
 * @param now last position of the log when the unit started */
export function whereToBegin(reader: PagingEventLogReader, cursor: Cursor | null, now: number): number {
  if (cursor === null) return now
  const last = reader.lastPosition()
  if (cursor.position <= last && recordedAt(reader, cursor.position) === cursor.recorded_at) return cursor.position
  const [next] = reader.read({ after: 0, limit: 1, from: cursor.recorded_at + 1 })
  return next === undefined ? last : next.position - 1
}

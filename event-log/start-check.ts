import type Database from 'better-sqlite3'
import { MissingEvent } from './damage.js'

/** Events looked up; each reads a way through the file's pages of its own, some tenths of a millisecond on a slow card. */
const SAMPLES = 1000

/** Looks events up all over the log, so that a file that was cut off or overwritten is noticed before anything is recorded. Bounded,
 * however long the log is: the whole of it is what `benchlog verify` goes through.
 * @throws SqliteError, MissingEvent */
export function checkSample(db: Database.Database): void {
  db.prepare<[], number>('SELECT count(*) FROM retained').pluck().get()
  const last = db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM recorded').pluck().get() ?? 0
  const event = db.prepare<[number], unknown>('SELECT topic FROM recorded WHERE position = ?').pluck()
  const step = Math.max(1, Math.floor(last / SAMPLES))
  for (let position = 1; position <= last; position += step) {
    if (event.get(position) === undefined) throw new MissingEvent(position)
  }
}

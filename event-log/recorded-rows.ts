import type Database from 'better-sqlite3'
import type { Qos } from '../events/event.js'
import { PackedNumbers, type Stretch } from './hash-chain.js'

/** A row of `recorded`; positional, because named columns double the cost of a row. */
export type RecordedRow = readonly [
  position: number,
  recordedAt: number,
  topic: string,
  payload: Buffer,
  qos: Qos,
  retain: 0 | 1,
  client: string,
  messageId: number | null,
]

const PAGE_ROWS = 250

/** The events after a position, in stretches of bounded size, none of which reaches across one of the positions in `ends`. The caller may
 * write in between. When the file is damaged it throws after it gave what comes before. */
export function* stretchesAfter(
  db: Database.Database,
  after: number,
  ends: { has(position: number): boolean } = new Set(),
): Generator<readonly RecordedRow[]> {
  const page = db
    .prepare<[number, number], RecordedRow>(
      `SELECT position, recorded_at, topic, payload, qos, retain, client, message_id
       FROM recorded WHERE position > ? ORDER BY position LIMIT ?`,
    )
    .raw()
  let position = after
  let limit = PAGE_ROWS
  for (;;) {
    let rows: readonly RecordedRow[]
    try {
      rows = page.all(position, limit)
    } catch (error) {
      if (limit === 1) throw error
      limit = 1
      continue
    }
    const last = rows.at(-1)
    if (last === undefined) return
    position = last[0]
    yield* cutAt(ends, rows)
  }
}

function* cutAt(
  ends: { has(position: number): boolean },
  rows: readonly RecordedRow[],
): Generator<readonly RecordedRow[]> {
  let start = 0
  for (const [index, [position]] of rows.entries()) {
    if (!ends.has(position) && index + 1 < rows.length) continue
    yield rows.slice(start, index + 1)
    start = index + 1
  }
}

/** The rows in the form that the hash chain takes. */
export function hashed(rows: readonly RecordedRow[]): Stretch {
  const numbers = new PackedNumbers(rows.length)
  let text = ''
  for (const [, recordedAt, topic, payload, qos, retain, client, messageId] of rows) {
    numbers.add(recordedAt, messageId ?? 0, qos, retain === 1)
    numbers.addLengths(Buffer.byteLength(topic), Buffer.byteLength(client), payload.length)
    text += topic
    text += client
  }
  return { numbers: numbers.bytes, text, payloads: Buffer.concat(rows.map(([, , , payload]) => payload)) }
}

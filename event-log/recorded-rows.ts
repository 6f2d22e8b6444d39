import type Database from 'better-sqlite3'
import type { Qos } from '../events/event.js'
import { numbersFor, packNumbers, type Stretch } from './hash-chain.js'

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

const STRETCH_ROWS = 1000
const STRETCH_BYTES = 4 * 1024 * 1024

/** The events after a position, in stretches of bounded size, none of which reaches across one of the positions in `ends`. When the file
 * is damaged it throws after it gave what comes before. */
export function* stretchesAfter(
  db: Database.Database,
  after: number,
  ends: { has(position: number): boolean } = new Set(),
): Generator<readonly RecordedRow[]> {
  const rows = db
    .prepare<[number], RecordedRow>(
      `SELECT position, recorded_at, topic, payload, qos, retain, client, message_id
       FROM recorded WHERE position > ? ORDER BY position`,
    )
    .raw()
  let stretch: RecordedRow[] = []
  let bytes = 0
  try {
    for (const row of rows.iterate(after)) {
      stretch.push(row)
      bytes += row[3].length
      if (stretch.length < STRETCH_ROWS && bytes < STRETCH_BYTES && !ends.has(row[0])) continue
      yield stretch
      stretch = []
      bytes = 0
    }
  } catch (error) {
    if (stretch.length > 0) yield stretch
    throw error
  }
  if (stretch.length > 0) yield stretch
}

/** The rows in the form that the hash chain takes. */
export function hashed(rows: readonly RecordedRow[]): Stretch {
  const numbers = numbersFor(rows.length)
  let text = ''
  for (const [index, [, recordedAt, topic, payload, qos, retain, client, messageId]] of rows.entries()) {
    const payloadBytes = payload.length
    packNumbers(numbers, index, {
      recordedAt,
      messageId: messageId ?? 0,
      qos,
      retain: retain === 1,
      topic,
      client,
      payloadBytes,
    })
    text += topic
    text += client
  }
  return { numbers, text, payloads: Buffer.concat(rows.map(([, , , payload]) => payload)) }
}

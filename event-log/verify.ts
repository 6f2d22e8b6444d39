import type Database from 'better-sqlite3'
import { openForReading } from './database.js'

export interface LogReport {
  readonly ok: boolean
  /** Number of events; positions run from 1 to it when the log is whole. */
  readonly events: number
  readonly lastPosition: number
  readonly retainedTopics: number
  /** One sentence per thing wrong. */
  readonly problems: readonly string[]
}

/** Last retained event of each topic, unless it is empty. */
const FOLDED = `
  SELECT e.topic, e.position FROM
    (SELECT max(position) AS position FROM events WHERE retain = 1 GROUP BY topic) AS last
    JOIN events e ON e.position = last.position
  WHERE length(e.payload) > 0`

/** Checks a log: the file itself, that positions have no gap, and that the retained table is what the events say.
 * Seconds for ten million events: not for a main thread.
 * @throws NoLog, ForeignLog as `openEventLogReader` does. */
export function verifyLog(path: string): LogReport {
  const db = openForReading(path)
  try {
    return db.transaction(() => inspect(db))()
  } finally {
    db.close()
  }
}

function inspect(db: Database.Database): LogReport {
  const { events, first, last } = db
    .prepare<[], { events: number; first: number; last: number }>(
      'SELECT count(*) AS events, coalesce(min(position), 1) AS first, coalesce(max(position), 0) AS last FROM events',
    )
    .get() ?? { events: 0, first: 1, last: 0 }
  const problems = [...fileProblems(db), ...retainedProblems(db)]
  if (first !== 1 || last !== events) {
    problems.push(`Positions run from ${first} to ${last} but there are ${events} events: some are missing.`)
  }
  const retainedTopics = db.prepare('SELECT count(*) FROM retained').pluck().get() as number
  return { ok: problems.length === 0, events, lastPosition: last, retainedTopics, problems }
}

function fileProblems(db: Database.Database): string[] {
  const answers = db.prepare('PRAGMA quick_check(10)').pluck().all() as string[]
  return answers.filter((answer) => answer !== 'ok').map((answer) => `The file is damaged: ${answer}.`)
}

function retainedProblems(db: Database.Database): string[] {
  const lacking = db.prepare(`${FOLDED} EXCEPT SELECT topic, position FROM retained LIMIT 10`)
  const excess = db.prepare(`SELECT topic, position FROM retained EXCEPT ${FOLDED} LIMIT 10`)
  type Row = { readonly topic: string; readonly position: number }
  return [
    ...(lacking.all() as Row[]).map(
      (row) => `Retained value of ${row.topic} at position ${row.position} is not in the table.`,
    ),
    ...(excess.all() as Row[]).map(
      (row) => `Retained table has ${row.topic} at position ${row.position}, the events do not.`,
    ),
  ]
}

import type Database from 'better-sqlite3'
import { openForInspection, refuseOther, versionOf } from './database.js'
import { LogWalk } from './log-walk.js'
import { stretchesAfter } from './recorded-rows.js'

export interface LogReport {
  readonly ok: boolean
  /** Number of events that can be read; positions run from 1 to it when the log is whole. */
  readonly events: number
  readonly lastPosition: number
  readonly retainedTopics: number
  /** Links of the hash chain that hold. */
  readonly links: number
  /** The newest events, which no link covers yet. */
  readonly unlinked: number
  /** One sentence per thing wrong. */
  readonly problems: readonly string[]
}

/** Checks a log: the file itself, that positions have no gap, that the hash chain holds, and that the retained table is what the events
 * up to the last link say. Half a minute for ten million events: not for a main thread.
 * @throws NoLog, ForeignLog as `openEventLogReader` does. */
export function verifyLog(path: string): LogReport {
  const db = openForInspection(path)
  try {
    const version = versionOf(db, path)
    if (version !== null) refuseOther(version, path)
    // All of it as it was at one moment. It ends with the connection.
    db.exec('BEGIN')
    return inspect(db)
  } finally {
    db.close()
  }
}

function inspect(db: Database.Database): LogReport {
  const problems: string[] = []
  const attempt = <T>(what: () => string, read: () => T): T | null => {
    try {
      return read()
    } catch (error) {
      problems.push(`The file is damaged: ${what()} cannot be read: ${(error as Error).message}.`)
      return null
    }
  }
  problems.push(
    ...(attempt(
      () => 'its structure',
      () => fileProblems(db),
    ) ?? []),
  )
  const walk = new LogWalk(
    attempt(
      () => 'the hash chain',
      () => linksOf(db),
    ) ?? new Map(),
  )
  attempt(
    () => `what comes after position ${walk.last}`,
    () => {
      for (const rows of stretchesAfter(db, 0, walk.links)) walk.take(rows)
    },
  )
  problems.push(...walk.problems)
  const stored = attempt(
    () => 'the table retained',
    () => retainedOf(db),
  )
  if (stored !== null) problems.push(...retainedProblems(walk.retainedAtLink, stored))
  return {
    ok: problems.length === 0,
    events: walk.events,
    lastPosition: walk.last,
    retainedTopics: walk.retained.size,
    links: walk.links.size,
    unlinked: walk.last - walk.lastLink,
    problems,
  }
}

function fileProblems(db: Database.Database): string[] {
  const answers = db.prepare('PRAGMA quick_check(10)').pluck().all() as string[]
  return answers.filter((answer) => answer !== 'ok').map((answer) => `The file is damaged: ${answer}.`)
}

const linksOf = (db: Database.Database): Map<number, Buffer> =>
  new Map(db.prepare<[], [number, Buffer]>('SELECT position, hash FROM links ORDER BY position').raw().all())

const retainedOf = (db: Database.Database): Map<string, number> =>
  new Map(db.prepare<[], [string, number]>('SELECT topic, position FROM retained').raw().all())

function* retainedProblems(events: ReadonlyMap<string, number>, table: ReadonlyMap<string, number>): Generator<string> {
  for (const [topic, position] of events) {
    if (table.get(topic) !== position) yield `Retained value of ${topic} at position ${position} is not in the table.`
  }
  for (const [topic, position] of table) {
    if (events.get(topic) !== position) yield `Retained table has ${topic} at position ${position}, the events do not.`
  }
}

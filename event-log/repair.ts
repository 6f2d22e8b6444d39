import { existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { defineError, type ErrorOptions } from '../events/core/errors.js'
import { syncToDisk } from '../primitives/replace-file.js'
import { copyEvents } from './copy-events.js'
import { openForInspection, tolerateShortFiles, versionOf } from './database.js'
import { finishCopy } from './finish-copy.js'
import { intactPart } from './intact-part.js'
import { LogState } from './log-state.js'
import { lackOfRoom } from './room.js'
import { createSchema, SCHEMA_VERSION } from './schema.js'
import { unreleasedStatement } from './unreleased-messages.js'
import { verifyLog } from './verify.js'

/** There is nothing to repair, nothing to keep, or no room to keep it in. The log stays as it is. */
export const LogNotRepaired = defineError(
  'log.not_repaired',
  'state',
  'There is nothing to repair in the event log, or nothing that repair could keep.',
)

export interface RepairReport {
  /** Events 1 to this position are kept. */
  readonly kept: number
  /** Time of the last one kept, ms UTC. */
  readonly keptUntil: number
  /** Why the log could not be read further. */
  readonly damage: string
  /** Last position that is still found in the damaged log, and its time; null when there is none. */
  readonly lost: { readonly last: number; readonly until: number | null } | null
  /** Where the damaged log is kept. */
  readonly original: string
}

/** Puts a log in the place of a damaged one that holds its events up to the first that cannot be read. What comes after that is lost to
 * the log: its positions are given again. The damaged file is kept beside it. Nobody may have the log open.
 * @param at names the kept file */
export function repairLog(
  path: string,
  at: Date,
  progress: (position: number) => void = () => undefined,
): RepairReport {
  if (isSound(path)) throw new LogNotRepaired(`The event log ${path} is sound: there is nothing to repair.`)
  const damaged = openForInspection(path)
  let version: number | null
  let intact: ReturnType<typeof intactPart>
  let lost: RepairReport['lost']
  let received: ReadonlySet<number>
  try {
    version = versionOf(damaged, path)
    intact = intactPart(damaged)
    lost = lostPart(damaged, intact.last)
    received = receivedIn(damaged)
  } finally {
    damaged.close()
  }
  if (intact.recordedAt === null) throw new LogNotRepaired(`Not one event of ${path} can be read.`, NOTHING_TO_KEEP)
  const room = lackOfRoom(path)
  if (room !== null) {
    throw new LogNotRepaired(
      `Repairing ${path} needs ${room.neededBytes} bytes beside it, and ${room.freeBytes} are free.`,
    )
  }
  const draft = `${path}.repair`
  rmSync(draft, { force: true })
  writeIntact(draft, { path, version, upTo: intact.last, received }, progress)
  const original = putInPlace(path, draft, at)
  return {
    kept: intact.last,
    keptUntil: intact.recordedAt,
    damage: intact.damage ?? 'its events are whole',
    lost,
    original,
  }
}

function isSound(path: string): boolean {
  const db = openForInspection(path)
  try {
    // One of an older version is judged by its events.
    return versionOf(db, path) === SCHEMA_VERSION ? verifyLog(path).ok : intactPart(db).damage === null
  } finally {
    db.close()
  }
}

const NOTHING_TO_KEEP: ErrorOptions = {
  remediation: 'Put a backup in its place, or move the file away to begin a new log.',
}

/** What is known of the events that cannot be kept. */
function lostPart(db: Database.Database, kept: number): RepairReport['lost'] {
  try {
    const last = db
      .prepare<[], { position: number; recorded_at: number }>(
        'SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1',
      )
      .get()
    if (last !== undefined && last.position > kept) return { last: last.position, until: last.recorded_at }
  } catch {
    // The end is damaged as well.
  }
  try {
    const link = db.prepare<[], number | null>('SELECT max(position) FROM links').pluck().get() ?? 0
    return link > kept ? { last: link, until: null } : null
  } catch {
    return null
  }
}

/** Positions of messages that wait for their release. Where nothing can be read of them, their senders may send them again: that records
 * them twice rather than not at all. */
function receivedIn(db: Database.Database): ReadonlySet<number> {
  try {
    return new Set(
      unreleasedStatement(db)
        .all()
        .map(({ position }) => position),
    )
  } catch {
    return new Set()
  }
}

interface Intact {
  readonly path: string
  readonly version: number | null
  readonly upTo: number
  readonly received: ReadonlySet<number>
}

function writeIntact(
  draft: string,
  { path, version, upTo, received }: Intact,
  progress: (position: number) => void,
): void {
  const db = new Database(draft)
  try {
    tolerateShortFiles(db)
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    db.prepare('ATTACH ? AS old').run(path)
    createSchema(db)
    if (version === 2) copyEvents(db, { table: 'events', messageId: 'NULL', upTo }, progress)
    else {
      copyEvents(db, { table: 'recorded', messageId: 'message_id', upTo }, progress)
      keepState(db, upTo, received)
    }
    db.transaction(() => new LogState(db))()
  } finally {
    db.close()
  }
  finishCopy(draft)
}

/** Links that can be read are kept as they are: they prove that the events before them are the recorded ones. What the tables hold at the
 * last of them is folded anew. */
function keepState(db: Database.Database, upTo: number, received: ReadonlySet<number>): void {
  db.transaction(() => {
    try {
      db.prepare('INSERT INTO main.links SELECT position, hash FROM old.links WHERE position <= ?').run(upTo)
    } catch {
      db.exec('DELETE FROM main.links')
    }
    const link = db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM main.links').pluck().get() ?? 0
    db.prepare(`
      INSERT INTO main.retained SELECT e.topic, e.position FROM
        (SELECT max(position) AS position FROM main.recorded WHERE retain = 1 AND position <= ? GROUP BY topic) AS last
        JOIN main.recorded e ON e.position = last.position
      WHERE length(e.payload) > 0`).run(link)
    const hold = db.prepare('INSERT INTO main.unreleased VALUES (?)')
    for (const position of received) if (position <= link) hold.run(position)
    const release = db.prepare('INSERT INTO main.released_early VALUES (?)')
    const since = db
      .prepare<[number], number>('SELECT position FROM main.recorded WHERE position > ? AND message_id IS NOT NULL')
      .pluck()
    for (const position of since.all(link)) if (!received.has(position)) release.run(position)
  })()
}

/** Gives the damaged file, and its last commits beside it, another name before the new one takes its place. */
function putInPlace(path: string, draft: string, at: Date): string {
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const original = `${path.replace(/\.db$/, '')}.damaged-${time}.db`
  for (const suffix of ['', '-wal'])
    if (existsSync(`${path}${suffix}`)) linkSync(`${path}${suffix}`, `${original}${suffix}`)
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
  renameSync(draft, path)
  syncToDisk(dirname(path))
  return original
}

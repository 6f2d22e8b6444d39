import { renameSync, rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Logger } from '../events/ports.js'

/** A save writes one page for a session; a small one, because a busy session is saved every second. */
const PAGE_BYTES = 512
const VERSION = 1

/** `sent`: every event up to here was considered. `in_flight`: those of them sent with QoS 1 and not acknowledged, as JSON
 * `[packet identifier, position, 1 when sent as a retained value]`. `attached`: the client was connected at the last save, so later
 * events may have been sent. `seen`: ms UTC of the last save. `subscriptions.since`: only events after this position; `replay`:
 * retained values are still to be sent. `exactly_once`: messages sent with QoS 2 that are not known to be complete; `state` is the index in
 * `QOS2_STATES`. */
const SCHEMA = `
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, client TEXT NOT NULL UNIQUE, sent INTEGER NOT NULL, in_flight TEXT NOT NULL, attached INTEGER NOT NULL,
    seen INTEGER NOT NULL);
  CREATE TABLE subscriptions (
    client TEXT, filter TEXT, qos INTEGER NOT NULL, since INTEGER NOT NULL, replay INTEGER NOT NULL, PRIMARY KEY (client, filter)
  ) WITHOUT ROWID;
  CREATE TABLE exactly_once (
    client TEXT, message_id INTEGER, position INTEGER NOT NULL, retain INTEGER NOT NULL, state INTEGER NOT NULL,
    PRIMARY KEY (client, message_id)) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`

/** From the form without a version, which kept a row for each message in flight and did not know who was connected. */
const UPGRADE = `
  ALTER TABLE sessions RENAME TO old_sessions;
  ALTER TABLE subscriptions RENAME TO old_subscriptions;
  ${SCHEMA}
  INSERT INTO sessions (client, sent, in_flight, attached, seen)
    SELECT client, sent, (
      SELECT json_group_array(json_array(message_id, position, retain)) FROM (
        SELECT * FROM in_flight f WHERE f.client = s.client AND qos = 1 ORDER BY position, message_id)), 1, 0
    FROM old_sessions s;
  INSERT INTO subscriptions SELECT client, filter, qos, since, 0 FROM old_subscriptions;
  INSERT INTO exactly_once SELECT client, message_id, position, retain, released FROM in_flight WHERE qos = 2;
  DROP TABLE old_sessions;
  DROP TABLE old_subscriptions;
  DROP TABLE in_flight;
  DROP TABLE received;
`

/** The file cannot be used, and never will be. */
class UnusableSessions extends Error {}

/** Opens the sessions, or begins anew when the file is damaged: without fsync a power cut can do that. It is put aside.
 * @throws the error of a disk that is full or fails: what is on it is not given up for that */
export function openSessionDatabase(path: string, logger: Logger): Database.Database {
  try {
    return prepare(path)
  } catch (error) {
    if (!isDamage(error)) throw error
    const aside = `${path}.unusable`
    logger.warn({ path, aside, err: error }, 'sessions cannot be used and start anew')
    renameSync(path, aside)
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    return prepare(path)
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof UnusableSessions ||
  (error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code))

function prepare(path: string): Database.Database {
  const db = new Database(path)
  try {
    const state = db.pragma('quick_check(1)', { simple: true })
    if (state !== 'ok') throw new UnusableSessions(String(state))
    db.pragma(`page_size = ${PAGE_BYTES}`)
    // A lost cursor repeats messages, but loses none; what a process wrote survives its own death without fsync.
    db.pragma('synchronous = OFF')
    const version = db.pragma('user_version', { simple: true })
    if (version === 0) make(db)
    else if (version !== VERSION)
      throw new UnusableSessions(`sessions of version ${String(version)}; this program reads ${VERSION}`)
    db.pragma('journal_mode = WAL')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function make(db: Database.Database): void {
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
  db.transaction(() => db.exec(isEmpty ? SCHEMA : UPGRADE))()
  if (isEmpty) return
  // The page size of a file changes when it is rewritten, and not in WAL mode.
  db.pragma('journal_mode = DELETE')
  db.exec('VACUUM')
}

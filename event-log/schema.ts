import type Database from 'better-sqlite3'

/** `BLOG` as a big-endian 32-bit integer: marks the file as ours. */
export const APPLICATION_ID = 0x424c4f47
/** Version of the format below. A change of it takes a step in `upgrades/`. */
export const SCHEMA_VERSION = 3
/** One event alone in a transaction writes whole pages: small ones spare the medium, smaller still slow reading down. */
const PAGE_BYTES = 1024

/** The format, explained in docs/event-log.md. `position` is the rowid, so reading by position needs no index, and the commit path
 * writes none. What follows from the events, `retained` and `unreleased`, is written with a link of the hash chain every some
 * thousand events and is true up to the last link; what came after is read from the tail. `released` and `released_early` say which identifiers
 * were released since that link: all of a client up to a position, and single ones out of order. */
const SCHEMA = `
  CREATE TABLE recorded (
    position INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    qos INTEGER NOT NULL,
    retain INTEGER NOT NULL,
    client TEXT NOT NULL,
    message_id INTEGER
  );
  CREATE VIEW events AS SELECT position, recorded_at, topic, payload, qos, retain, client FROM recorded;
  CREATE TABLE links (position INTEGER PRIMARY KEY, hash BLOB NOT NULL);
  CREATE TABLE retained (topic TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE unreleased (position INTEGER PRIMARY KEY);
  CREATE TABLE released (client TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE released_early (position INTEGER PRIMARY KEY);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Makes an empty file a log. */
export function createSchema(db: Database.Database): void {
  db.pragma(`page_size = ${PAGE_BYTES}`)
  db.transaction(() => db.exec(SCHEMA))()
}

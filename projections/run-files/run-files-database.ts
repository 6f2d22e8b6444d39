import type Database from 'better-sqlite3'
import { openForWriting } from '../engine/database.js'

/** What the sink remembers between batches, committed after the files themselves are on disk. Bump `VERSION` with the schema or the
 * format of the files: everything is then written anew from the log. */
const VERSION = 4

const SCHEMA = `
  CREATE TABLE checkpoint (position INTEGER NOT NULL);
  INSERT INTO checkpoint VALUES (0);
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, position INTEGER NOT NULL, directory TEXT NOT NULL, run_order TEXT NOT NULL,
    has_manifest INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE INDEX runs_without_manifest ON runs (has_manifest) WHERE has_manifest = 0;
  -- How each slot of a run ended.
  CREATE TABLE slot_ends (
    run_id TEXT, slot TEXT, status TEXT NOT NULL, ended_at TEXT NOT NULL, PRIMARY KEY (run_id, slot)
  ) WITHOUT ROWID;
  CREATE TABLE slot_folders (
    directory TEXT, slot TEXT, run_id TEXT NOT NULL, PRIMARY KEY (directory, slot)
  ) WITHOUT ROWID;
  -- path is relative to the run's directory; bytes of a CSV are what is certainly on disk.
  CREATE TABLE files (
    run_id TEXT, path TEXT, slot TEXT NOT NULL, mode_index INTEGER NOT NULL, kind TEXT NOT NULL,
    bytes INTEGER NOT NULL, row_count INTEGER NOT NULL, complete INTEGER NOT NULL, PRIMARY KEY (run_id, path)
  ) WITHOUT ROWID;
  CREATE INDEX incomplete_files ON files (complete) WHERE complete = 0;
  CREATE TABLE losses (
    position INTEGER PRIMARY KEY, run_id TEXT NOT NULL, slot TEXT NOT NULL, mode_index INTEGER NOT NULL, record TEXT NOT NULL
  );
  CREATE TABLE problems (
    run_id TEXT, slot TEXT, mode_index INTEGER, reason TEXT, PRIMARY KEY (run_id, slot, mode_index, reason)
  ) WITHOUT ROWID;
  CREATE TABLE parked_events (position INTEGER PRIMARY KEY, reason TEXT NOT NULL);
`

/** Opens the sink's database, empty when it is new or of another version. */
export function openRunFilesDatabase(path: string): Database.Database {
  const database = openForWriting(path)
  if (database.pragma('user_version', { simple: true }) !== VERSION) resetRunFilesDatabase(database)
  return database
}

/** Forgets everything: the next batch starts at the first event and writes every file anew. */
export function resetRunFilesDatabase(database: Database.Database): void {
  const reset = database.transaction(() => {
    const tables = database
      .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
    for (const { name } of tables) database.exec(`DROP TABLE "${name}"`)
    database.exec(SCHEMA)
    database.pragma(`user_version = ${VERSION}`)
  })
  reset.immediate()
}

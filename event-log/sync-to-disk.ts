import { closeSync, fsyncSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'

/** Returns when the file, or the names in the directory, are on the medium. */
export function syncToDisk(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes a database that was written without a journal ready to take the place of another, and brings it to the medium. */
export function finishCopy(path: string): void {
  const db = new Database(path)
  try {
    // Readers open it as soon as it has its name.
    db.pragma('journal_mode = WAL')
  } finally {
    db.close()
  }
  syncToDisk(path)
}

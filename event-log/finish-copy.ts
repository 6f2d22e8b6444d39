import Database from 'better-sqlite3'
import { syncToDisk } from '../primitives/replace-file.js'

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

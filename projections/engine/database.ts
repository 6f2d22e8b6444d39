import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

/** Opens a database of derived data for writing, making it when needed. WAL, and `synchronous=NORMAL`: a power cut may take the last
 * transactions, never half of one, and what is lost is folded again. */
export function openForWriting(path: string): Database.Database {
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { timeout: 15_000 })
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  // Checkpoints of 16 MiB: the last pages of tables and indexes change in every batch and are copied once instead of often.
  database.pragma('wal_autocheckpoint = 4000')
  database.pragma('journal_size_limit = 67108864')
  database.pragma('temp_store = MEMORY')
  database.pragma('cache_size = -16000')
  return database
}

/** Whether a database is not what it was, as opposed to a disk that is full or refuses. Damage of the log has an error of its own. */
export const isDamaged = (error: unknown): error is Error =>
  error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)

/** Removes a database of derived data, which is then made anew. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true })
}

/** Quoted SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

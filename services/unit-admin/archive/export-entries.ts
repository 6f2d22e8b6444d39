import { constants, type Dirent } from 'node:fs'
import { access, mkdir, readdir, realpath, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { CONFIG_FILES } from '../../../events/config/config.js'
import { ARCHIVE_METADATA, type ExportEntries } from '../../../events/machine/archive.js'
import type { Logger } from '../../../events/ports.js'
import { isHidden, isWithin } from '../../../primitives/contained-path.js'
import { readRegularFile } from '../../../primitives/read-regular-file.js'
import { redactText } from '../config/redaction.js'

/** What stands behind a database while it is written belongs to its copy. */
const BESIDE_DATABASE = /\.sqlite(\.backup|-shm|-wal|-journal)$/
const MAX_CONFIG_BYTES = 1024 * 1024

interface ExportOptions {
  readonly dotPioreactor: string
  readonly privatePaths: readonly string[]
  /** Where copies go; empty, of this user alone. */
  readonly folder: string
  readonly logger: Logger
}

/** Everything in the data directory, sorted, as an archive has it: links that stay inside count as the files they lead to, others are left out.
 * Databases are copied as they are between two changes; the configuration is without passwords, keys and tokens. What cannot be read is
 * left out and logged. */
export async function exportEntries({
  dotPioreactor,
  privatePaths,
  folder,
  logger,
}: ExportOptions): Promise<ExportEntries> {
  const root = await realpath(dotPioreactor)
  const entries: ExportEntries = []
  let copies = 0
  const copyName = (): string => join(folder, String(copies++))

  async function fileAt(path: string, real: string): Promise<void> {
    if (BESIDE_DATABASE.test(path)) return
    await access(real, constants.R_OK)
    if (path.endsWith('.sqlite')) entries.push({ path, location: await snapshot(real, copyName()) })
    else if ((CONFIG_FILES as readonly string[]).includes(path)) entries.push({ path, location: await redacted(real) })
    else entries.push({ path, location: real })
  }
  async function redacted(real: string): Promise<string> {
    const bytes = await readRegularFile(real, MAX_CONFIG_BYTES)
    const text = redactText(bytes.toString())
    if (text === bytes.toString()) return real
    const copy = copyName()
    await writeFile(copy, text, { mode: 0o600, flag: 'wx' })
    return copy
  }
  async function snapshot(real: string, copy: string): Promise<string> {
    const database = new Database(real, { fileMustExist: true })
    try {
      await database.backup(copy)
      return copy
    } catch (error) {
      // What is no database is a file like others.
      if (error instanceof Database.SqliteError && error.code === 'SQLITE_NOTADB') return real
      throw error
    } finally {
      database.close()
    }
  }
  async function walk(directory: string, prefix: string): Promise<void> {
    const found = await readdir(directory, { withFileTypes: true })
    for (const entry of found.sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))) {
      const path = prefix + entry.name
      try {
        await take(entry, join(directory, entry.name), path)
      } catch (error) {
        logger.error({ path, err: error }, 'left out of the archive')
      }
    }
  }
  async function take(entry: Dirent, place: string, path: string): Promise<void> {
    if (path === ARCHIVE_METADATA || (await isHidden(root, place, privatePaths))) return
    if (entry.isDirectory()) {
      entries.push({ path: `${path}/`, location: place })
      await walk(place, `${path}/`)
      return
    }
    if (entry.isFile()) return fileAt(path, place)
    if (!entry.isSymbolicLink()) return
    const real = await realpath(place)
    const isInside = isWithin(root, real) && !(await isHidden(root, real, privatePaths))
    if (isInside && (await stat(real)).isFile()) await fileAt(path, real)
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await walk(root, '')
  return entries
}

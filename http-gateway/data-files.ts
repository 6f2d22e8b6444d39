import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { defineError, type LabError } from '../events/core/errors.js'
import { DatabaseProtected, DISALLOW_FILE_SYSTEM, FilesDisallowed, OutsideData } from '../events/machine/errors.js'
import { findWithin, isHidden } from '../primitives/contained-path.js'
import { isRegularFile } from '../primitives/read-regular-file.js'
import type { GatewayContext } from './context.js'
import { withStatus } from './framework/errors.js'

export const PathNotFound = withStatus(
  404,
  defineError('files.not_found', 'input', 'There is no file or directory of this path in the data directory.'),
)

/** @throws FilesDisallowed */
export async function refuseDisallowed(_input: unknown, { dotPioreactor }: GatewayContext): Promise<void> {
  if (!(await isRegularFile(join(dotPioreactor, DISALLOW_FILE_SYSTEM)))) return
  throw new FilesDisallowed(`${DISALLOW_FILE_SYSTEM} is present`, {
    details: { cause: 'Files of this unit are not available over REST.' },
  })
}

/** What a path below the data directory leads to. */
export type DataEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly size: number; readonly modified: Date }

const DATABASE = /\.sqlite(\.backup|-shm|-wal|-journal)?$/

/** @param path relative to the data directory
 * @throws PathNotFound also for what is neither file nor directory, OutsideData, DatabaseProtected */
export async function findDataEntry(context: GatewayContext, path: string): Promise<DataEntry> {
  const { dotPioreactor, privatePaths } = context
  const place = await findWithin(dotPioreactor, path.replace(/\/+$/, '') || '.')
  if (place.kind === 'missing') throw notFound(path)
  if (place.kind !== 'inside' || (await isHidden(dotPioreactor, place.path, privatePaths))) {
    throw new OutsideData('Access to this path is not allowed.', {
      details: { cause: 'The path is outside the data directory.' },
    })
  }
  const info = await stat(place.path).catch(() => null)
  if (info?.isDirectory()) return { kind: 'directory', path: place.path }
  if (!info?.isFile()) throw notFound(path)
  if (DATABASE.test(place.path)) {
    throw new DatabaseProtected('Databases are not downloaded over this path.', {
      details: { cause: 'The unit works with this file; an export of the data directory has a copy of it.' },
    })
  }
  return { kind: 'file', path: place.path, size: info.size, modified: info.mtime }
}

const notFound = (path: string): LabError =>
  new PathNotFound('The path was not found.', {
    details: { cause: `There is no '${path.replaceAll('\0', '')}' in the data directory.` },
  })

/** Not told of, though they can be reached by name. */
const UNLISTED = new Set(['__pycache__'])

/** Names in a directory, sorted by code point; links count as what they lead to. */
export async function listDataDirectory(
  { dotPioreactor, privatePaths }: GatewayContext,
  path: string,
): Promise<{ readonly current: string; readonly dirs: string[]; readonly files: string[] }> {
  const root = await realpath(dotPioreactor)
  const dirs: string[] = []
  const files: string[] = []
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (UNLISTED.has(entry.name) || (await isHidden(root, join(path, entry.name), privatePaths))) continue
    const kind = await kindOf(entry, join(path, entry.name))
    if (kind !== null) (kind === 'directory' ? dirs : files).push(entry.name)
  }
  return { current: relative(root, path) || '.', dirs: dirs.sort(byCodePoint), files: files.sort(byCodePoint) }
}

async function kindOf(entry: Dirent, path: string): Promise<'directory' | 'file' | null> {
  const info = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry
  if (info === null) return null
  return info.isDirectory() ? 'directory' : info.isFile() ? 'file' : null
}

const byCodePoint = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))

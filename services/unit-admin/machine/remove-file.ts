import { lstat, realpath, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { InvalidInput } from '../../../events/core/errors.js'
import { DatabaseProtected, OutsideData } from '../../../events/machine/errors.js'
import { isHidden, isWithin, resolveAsFar } from '../../../primitives/contained-path.js'

export interface DataDirectory {
  readonly dotPioreactor: string
  /** What nobody outside sees or deletes, even where it lies in the data directory. */
  readonly privatePaths: readonly string[]
}

const DATABASE = /\.sqlite(-shm|-wal|-journal|\.backup)?$/

/** The file that a client means: relative to the data directory, absolute, or below the home of this user.
 * @returns absolute, links resolved; it need not exist
 * @throws InvalidInput, OutsideData, DatabaseProtected */
export async function fileToRemove(filepath: string, { dotPioreactor, privatePaths }: DataDirectory): Promise<string> {
  if (filepath === '' || filepath.includes('\0')) {
    throw new InvalidInput('filepath names no file.', { details: { field: 'filepath' } })
  }
  const root = await realpath(dotPioreactor).catch(() => dotPioreactor)
  const path = await resolveAsFar(resolve(root, ofThisUnit(filepath, root))).catch(() => null)
  if (path === null || !isWithin(root, path) || (await isHidden(root, path, privatePaths))) {
    throw new OutsideData('Access to this path is not allowed.', {
      remediation: 'Name a file inside the data directory of the unit.',
      details: { cause: 'The path is outside the data directory.' },
    })
  }
  if (DATABASE.test(path) && isWithin(join(root, 'storage'), path)) {
    throw new DatabaseProtected('The databases of the unit are not deleted.', {
      details: { cause: 'The unit works with this file.' },
    })
  }
  return path
}

/** A leader names its own path: what comes after `.pioreactor` is meant, below the data directory of this unit. */
function ofThisUnit(filepath: string, root: string): string {
  const path = filepath.replace(/^~(?=\/|$)/, homedir())
  if (!path.startsWith(sep) || isWithin(root, resolve(path))) return path
  const parts = path.split(sep)
  const at = parts.indexOf('.pioreactor')
  return at === -1 ? path : join(root, ...parts.slice(at + 1))
}

/** Deletes one file. @returns false when there is none, it is a directory, or it cannot be deleted */
export async function removeFile(path: string): Promise<boolean> {
  try {
    // What became a link meanwhile leads where nobody looked.
    if ((await lstat(path)).isDirectory() || (await realpath(dirname(path))) !== dirname(path)) return false
    await rm(path)
    return true
  } catch {
    return false
  }
}

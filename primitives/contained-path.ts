import { lstat, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'

/** Whether an absolute path is a directory or something below it, by their names alone. */
export const isWithin = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

/** Where a path leads that somebody outside gave. */
export type Place =
  /** Resolved: absolute, without symbolic links. */
  { readonly kind: 'inside'; readonly path: string } | { readonly kind: 'outside' | 'missing' }

/** More links than a path can need. */
const MAX_LINKS = 40

/** Follows a path below a root as the file system does, symbolic links included. It is `outside` when its name leaves the root, whatever is there,
 * or when what it leads to is elsewhere.
 * @param root absolute
 * @param path relative to the root, or absolute
 * @example
 * ```ts
 * const place = await findWithin('/data', 'storage/od.yaml')
 * const escape = await findWithin('/data', '../etc/passwd') // { kind: 'outside' }
 * ``` */
export async function findWithin(root: string, path: string): Promise<Place> {
  if (path.includes('\0')) return { kind: 'missing' }
  if (!isWithin(root, resolve(root, path))) return { kind: 'outside' }
  try {
    const [realRoot, real] = await Promise.all([realpath(root), realpath(resolve(root, path))])
    return isWithin(realRoot, real) ? { kind: 'inside', path: real } : { kind: 'outside' }
  } catch {
    return { kind: 'missing' }
  }
}

/** Where a path leads, or would lead if it were there: what is missing is taken by its name.
 * @throws Error of the file system for links without end */
export async function resolveAsFar(path: string, links = MAX_LINKS): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP' || links === 0) throw error
    const parent = dirname(path)
    if (parent === path) return path
    const place = join(await resolveAsFar(parent, links - 1), basename(path))
    const isLink = await lstat(place).then(
      (info) => info.isSymbolicLink(),
      () => false,
    )
    return isLink ? resolveAsFar(resolve(dirname(place), await readlink(place)), links - 1) : place
  }
}

/** Whether a path below the root is one of those that nobody outside may reach, or lies in one. The root itself may lie in one of them.
 * @param path resolved */
export async function isHidden(root: string, path: string, hidden: readonly string[]): Promise<boolean> {
  const [realRoot, ...real] = await Promise.all([root, ...hidden].map((place) => realpath(place).catch(() => place)))
  return real.some((place) => !isWithin(place, realRoot ?? root) && isWithin(place, path))
}

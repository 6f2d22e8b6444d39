import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What became of a file that is open. */
export type FileChange = 'removed' | 'replaced'

const lookAt = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false })

const inodeOf = (stat: Stats | undefined): string | null => (stat === undefined ? null : `${stat.dev}:${stat.ino}`)

const changeBetween = (before: string | null, now: string | null): FileChange | null => {
  if (now === before) return null
  return now === null ? 'removed' : 'replaced'
}

/** Whether the file under a path is still the one that was there when this was made: an open file outlives its name, and what is
 * written into it then is lost at its end. Asking takes 2 µs. */
export class FileIdentity {
  readonly #path: string
  readonly #inode: string | null

  constructor(path: string) {
    this.#path = path
    this.#inode = inodeOf(lookAt(path))
  }

  change(): FileChange | null {
    return changeBetween(this.#inode, inodeOf(lookAt(this.#path)))
  }
}

/** A directory whose last change is that much older than a file in it shows the next change by another time, even where the file system
 * counts in steps of 2 s. */
const SETTLED_MS = 3000

/** Whether the files of one directory are still those that were there when this was made. Where nothing in the directory was made,
 * removed or renamed since they were looked at, one look at it answers for all. */
export class FileIdentities {
  readonly #directory: string
  readonly #files: readonly { readonly path: string; readonly inode: string | null }[]
  readonly #unchanged: readonly null[]
  /** How the directory looked when every file was in its place. */
  #settled: string | null = null

  constructor(paths: readonly [string, ...string[]]) {
    this.#directory = dirname(paths[0])
    this.#files = paths.map((path) => ({ path, inode: inodeOf(lookAt(path)) }))
    this.#unchanged = paths.map(() => null)
  }

  /** Of each file, in the order they were given. */
  changes(): readonly (FileChange | null)[] {
    const directory = lookAt(this.#directory)
    const look = directory === undefined ? null : `${inodeOf(directory)}:${directory.mtimeMs}`
    if (look !== null && look === this.#settled) return this.#unchanged
    // When the files were written last tells the time of the clock that the directory's time is from.
    let writtenMs = 0
    const changes = this.#files.map(({ path, inode }) => {
      const stat = lookAt(path)
      writtenMs = Math.max(writtenMs, stat?.mtimeMs ?? 0)
      return changeBetween(inode, inodeOf(stat))
    })
    const isSettled = directory !== undefined && writtenMs - directory.mtimeMs > SETTLED_MS
    this.#settled = isSettled && changes.every((change) => change === null) ? look : null
    return changes
  }
}

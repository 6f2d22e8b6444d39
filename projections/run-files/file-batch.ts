import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { replaceFileSync, syncToDisk } from '../../primitives/replace-file.js'

interface Append {
  /** Bytes of the file that stay; whatever lies behind them is left over from a crash and is cut off. */
  readonly offset: number
  text: string
}

/** Changes to files below a root, gathered in memory and then written together. Paths are relative, with `/`. */
export class FileBatch {
  readonly #directories = new Set<string>()
  readonly #appends = new Map<string, Append>()
  readonly #contents = new Map<string, string>()
  readonly #removals = new Set<string>()

  /** Makes a directory with its parents. */
  makeDirectory(path: string): void {
    this.#directories.add(path)
  }

  /** Adds text at the end of a file of which `offset` bytes are certain. */
  append(path: string, offset: number, text: string): void {
    this.#removals.delete(path)
    const append = this.#appends.get(path)
    if (append === undefined) this.#appends.set(path, { offset, text })
    else append.text += text
  }

  /** Replaces a file as a whole; readers see the old or the new one. */
  replace(path: string, content: string): void {
    this.#removals.delete(path)
    this.#contents.set(path, content)
  }

  /** Deletes a file, and the directories that are empty without it. */
  remove(path: string): void {
    this.#appends.delete(path)
    this.#contents.delete(path)
    this.#removals.add(path)
  }

  /** Writes and fsyncs everything. @returns the new length in bytes of each file. */
  write(root: string): ReadonlyMap<string, number> {
    const lengths = new Map<string, number>()
    const grown = new Set<string>()
    for (const directory of this.#directories) makeDirectory(root, directory, grown)
    for (const [path, append] of this.#appends) {
      makeDirectory(root, dirname(path), grown)
      lengths.set(path, appendTo(join(root, path), append))
      if (append.offset === 0) grown.add(dirname(path))
    }
    for (const [path, content] of this.#contents) {
      makeDirectory(root, dirname(path), grown)
      replaceFileSync(join(root, path), content, { syncName: false })
      lengths.set(path, Buffer.byteLength(content))
      grown.add(dirname(path))
    }
    for (const path of this.#removals) removeFile(root, path)
    // A file survives a power cut only when its name does too.
    for (const directory of grown) {
      // Removals of the same batch may have emptied it.
      if (existsSync(join(root, directory))) syncToDisk(join(root, directory))
    }
    return lengths
  }
}

function makeDirectory(root: string, directory: string, grown: Set<string>): void {
  if (mkdirSync(join(root, directory), { recursive: true }) === undefined) return
  for (let parent = directory; parent !== '.'; parent = dirname(parent)) grown.add(dirname(parent))
}

function removeFile(root: string, path: string): void {
  rmSync(join(root, path), { force: true })
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const directory = join(root, parent)
    if (existsSync(directory) && readdirSync(directory).length > 0) return
    rmSync(directory, { recursive: true, force: true })
  }
}

function appendTo(path: string, { offset, text }: Append): number {
  const bytes = Buffer.from(text)
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644)
  try {
    if (fstatSync(file).size !== offset) ftruncateSync(file, offset)
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, offset + done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return offset + bytes.length
}

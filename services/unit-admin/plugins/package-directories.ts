import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isPackageName } from '../../../events/plugins/plugin-order.js'
import { runProgram } from '../../runtime/run-program.js'

/** What an old version is called until the new one is in its place. */
const OLD = 'old-'
const TREE_TIMEOUT_MS = 120_000

/** Where packages lie: `packages/<name>` below the directory of the plugins, one each with all it needs, so that none can spoil another. What is
 * being prepared lies in `.incoming`; a package gets to its place, and away from it, by renaming. */
export class PackageDirectories {
  readonly #packages: string
  readonly #incoming: string

  constructor(plugins: string) {
    this.#packages = join(plugins, 'packages')
    this.#incoming = join(plugins, '.incoming')
  }

  /** Finishes or takes back what a kill broke off: an old version returns where no new one came. */
  async recover(): Promise<void> {
    const left = await namesIn(this.#incoming)
    const present = await namesIn(this.#packages)
    for (const name of left.filter((entry) => entry.startsWith(OLD)).map((entry) => entry.slice(OLD.length))) {
      if (!present.includes(name)) await rename(join(this.#incoming, OLD + name), join(this.#packages, name))
    }
    await rm(this.#incoming, { recursive: true, force: true })
  }

  /** Names of the packages. A directory whose name cannot be that of one is none. */
  async names(): Promise<readonly string[]> {
    return (await namesIn(this.#packages)).flatMap((level) => {
      try {
        const name = decodeURIComponent(level)
        return encodeURIComponent(name) === level && isPackageName(name) ? [name] : []
      } catch {
        return []
      }
    })
  }

  /** Of an installed package and all it depends on. */
  path(name: string): string {
    return join(this.#packages, encodeURIComponent(name))
  }

  /** Of the package itself. */
  contents(name: string): string {
    return join(this.path(name), 'node_modules', name)
  }

  /** A new empty directory to prepare a package in. */
  async prepare(): Promise<string> {
    const path = join(this.#incoming, randomUUID())
    await mkdir(path, { recursive: true })
    return path
  }

  async discard(prepared: string): Promise<void> {
    await rm(prepared, { recursive: true, force: true })
  }

  /** Puts a prepared package in its place, where it is on the medium when this resolves. When it rejects, what was there is there. */
  async place(name: string, prepared: string): Promise<void> {
    await mkdir(this.#packages, { recursive: true })
    await close(prepared)
    await sync(prepared)
    const path = this.path(name)
    const old = join(this.#incoming, OLD + encodeURIComponent(name))
    await rm(old, { recursive: true, force: true })
    const hadOne = await moved(path, old)
    try {
      await rename(prepared, path)
      await sync(this.#packages)
    } catch (error) {
      await moved(path, prepared)
      if (hadOne) await rename(old, path)
      throw error
    }
    await rm(old, { recursive: true, force: true })
  }

  /** @returns whether there was one */
  async remove(name: string): Promise<boolean> {
    const gone = await this.prepare()
    const wasThere = await moved(this.path(name), join(gone, 'package'))
    if (wasThere) await sync(this.#packages)
    await this.discard(gone)
    return wasThere
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** @returns whether there was something to move */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Makes a whole tree readable for this user alone, as everything of the unit is: archives say otherwise. */
const close = (path: string): Promise<void> => runOnTree('chmod', ['-R', 'go=', path])

/** Brings a whole tree to the medium: with a file at a time, a package with its dependencies takes minutes on an SD card. */
const sync = (path: string): Promise<void> => runOnTree('sync', ['-f', path])

async function runOnTree(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args, { timeoutMs: TREE_TIMEOUT_MS })
  if (code !== 0) throw new Error(`${program} failed: ${stderr.trim()}`)
}

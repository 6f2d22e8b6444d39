import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { syncToDisk } from '../../../primitives/replace-file.js'

/** Where a directory is made ready that will replace another one, and where the replaced one stays. All are on one file system. */
const placesOf = (root: string) => ({
  /** Not whole yet: worth nothing. */
  staging: `${root}.import`,
  /** Whole: takes the place of the directory once that is out of the way. */
  ready: `${root}.import-ready`,
  /** The directory that was replaced last. */
  before: `${root}.before-import`,
})

/** The directory itself, where its path is a link; it need not be there. */
function realRoot(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
    return isLink ? resolve(dirname(path), readlinkSync(path)) : path
  }
}

/** Makes a directory ready beside another one. A failure leaves nothing. @param fill fills it, each file on the medium
 * @returns puts it in the other's place, whose content stays beside it until the next time
 * @param step told of each step; for tests */
export async function stageReplacement(
  path: string,
  fill: (staging: string) => Promise<void>,
  step: (name: string) => void = () => undefined,
): Promise<() => Promise<void>> {
  const root = realRoot(path)
  const { staging, ready, before } = placesOf(root)
  await Promise.all([staging, ready].map((left) => rm(left, { recursive: true, force: true })))
  const discard = async (error: unknown): Promise<never> => {
    await Promise.all([staging, ready].map((left) => rm(left, { recursive: true, force: true })))
    throw error
  }
  try {
    await mkdir(staging, { mode: (await stat(root)).mode & 0o777 })
    step('staging made')
    await fill(staging)
    await syncFolders(staging)
    step('staging whole')
    await rename(staging, ready)
    await syncFolder(dirname(root))
    step('ready')
  } catch (error) {
    return discard(error)
  }
  return async () => {
    try {
      await rm(before, { recursive: true, force: true })
      step('earlier one deleted')
      await rename(root, before)
    } catch (error) {
      return discard(error)
    }
    step('moved away')
    try {
      await rename(ready, root)
    } catch (error) {
      await rename(before, root)
      return discard(error)
    }
    step('in place')
    await syncFolder(dirname(root))
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function syncFolders(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolders(join(path, entry.name))
  }
  await syncFolder(path)
}

/** Ends a replacement that a death broke off, before anybody reads the directory: it is then the old one or the new one. */
export function finishReplacement(path: string): void {
  const root = realRoot(path)
  const { staging, ready, before } = placesOf(root)
  rmSync(staging, { recursive: true, force: true })
  if (!existsSync(ready)) return
  // Who starts makes an empty one where there is none.
  const isAway = existsSync(before) && (!existsSync(root) || readdirSync(root).length === 0)
  if (!isAway) {
    rmSync(ready, { recursive: true, force: true })
    return
  }
  if (existsSync(root)) rmdirSync(root)
  renameSync(ready, root)
  syncToDisk(dirname(root))
}

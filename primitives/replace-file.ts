import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface ReplaceOptions {
  /** Permissions of the new file, before the umask; 0o666 by default. */
  readonly mode?: number
  /** Name of the file until it is whole. Processes that replace the same file at once each need their own; `<path>.tmp` by default. */
  readonly draft?: string
  /** False when the caller syncs the directory, for several files at once. */
  readonly syncName?: boolean
}

/** Replaces a file so that readers, and whatever a power cut leaves, have the old content or the new one, never a part. When it resolves
 * the new content is on the medium; when it rejects the file is as it was. Calls for one path must not overlap.
 * @example
 * ```ts
 * await replaceFile(path, JSON.stringify(values), { mode: 0o600 })
 * ``` */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: ReplaceOptions = {},
): Promise<void> {
  const { mode = 0o666, draft = `${path}.tmp`, syncName = true } = options
  // A draft left by a crash may have other permissions.
  await rm(draft, { force: true })
  try {
    const file = await open(draft, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  if (!syncName) return
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** `replaceFile` for threads that may block. */
export function replaceFileSync(path: string, content: string | Uint8Array, options: ReplaceOptions = {}): void {
  const { mode = 0o666, draft = `${path}.tmp`, syncName = true } = options
  rmSync(draft, { force: true })
  try {
    writeFileSync(draft, content, { mode, flag: 'wx', flush: true })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  if (syncName) syncToDisk(dirname(path))
}

/** Returns when the content of the file, or the names in the directory, are on the medium. */
export function syncToDisk(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

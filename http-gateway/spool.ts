import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Lends a secret to the services: a file readable by this user alone while `work` runs with its bare name. The service
 * that carries the order out deletes the file; else it is deleted here. */
export async function withSpooled<T>(
  directory: string,
  content: unknown,
  work: (name: string) => Promise<T>,
): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const name = `${randomUUID()}.json`
  const path = join(directory, name)
  try {
    await writeFile(path, JSON.stringify(content), { flag: 'wx', mode: 0o600 })
    return await work(name)
  } finally {
    await rm(path, { force: true })
  }
}

/** Leaves a file for the services, who delete it: readable by this user alone, written as its content comes.
 * @param write gives the content piece by piece; nothing is left when it throws, or resolves with false
 * @returns the bare name; null when there is nothing */
export async function spoolUpload(
  directory: string,
  write: (put: (piece: Uint8Array) => Promise<void>) => Promise<boolean>,
): Promise<string | null> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const name = `${randomUUID()}.zip`
  const path = join(directory, name)
  const file = await open(path, 'wx', 0o600)
  let isWhole = false
  try {
    isWhole = await write((piece) => file.writeFile(piece))
    return isWhole ? name : null
  } finally {
    await file.close()
    if (!isWhole) await rm(path, { force: true })
  }
}

/** Works with a folder that the services left, and deletes it. */
export async function withSpooledFolder(
  directory: string,
  name: string,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = join(directory, name)
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
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

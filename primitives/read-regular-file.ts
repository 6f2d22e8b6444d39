import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants

/** Content of a file that others may have put there: a pipe holds nobody up, a link leads nowhere, and what is too long is not read.
 * @throws Error saying so, without the path; with `code` when it cannot be opened, `ENOENT` when there is none
 * @example
 * ```ts
 * const text = (await readRegularFile(path, 64 * 1024)).toString()
 * ``` */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW).catch((cause: NodeJS.ErrnoException) => {
    const { code = 'error' } = cause
    throw Object.assign(new Error(`it cannot be opened (${code})`, { cause }), { code })
  })
  try {
    const info = await file.stat()
    if (!info.isFile()) throw new Error('it is no file')
    if (info.size > maxBytes) throw new Error(`it has ${info.size} bytes; at most ${maxBytes} are read`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** Whether there is a file; a directory is none. What cannot be looked at counts as there: it may stand for something forbidden. */
export async function isRegularFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}

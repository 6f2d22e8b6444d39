import { constants } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A bare random name; nothing that leads elsewhere. */
const SPOOL_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/

/** Reads what a gateway left in the spool and deletes it, whatever it is. The content never gets into a message.
 * @param unreadable makes the error of what is wrong with it.
 * @throws what `unreadable` makes, when the name is not a spool name, or the file is missing or longer than `maxBytes`. */
export async function consumeSpooled(
  directory: string,
  name: string,
  maxBytes: number,
  unreadable: (reason: string, cause?: unknown) => Error,
): Promise<string> {
  if (!SPOOL_NAME.test(name)) throw unreadable('its name is not one of the spool')
  const path = join(directory, name)
  try {
    // A link could point at any file of ours.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
      throw unreadable('it is not there', cause)
    })
    try {
      const { size } = await file.stat()
      if (size > maxBytes) throw unreadable(`it has ${size} bytes; at most ${maxBytes} are read`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } finally {
    await rm(path, { force: true })
  }
}

/** Deletes what an earlier process was asked to read and did not. */
export async function emptySpool(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) {
    if (SPOOL_NAME.test(name)) await rm(join(directory, name), { force: true })
  }
}

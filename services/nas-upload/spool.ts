import { constants } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LabError } from '../../events/core/errors.js'
import { InvalidNasConfig } from '../../events/nas/errors.js'
import { NasSetup } from '../../events/nas/nas.js'
import { checkJson } from '../../events/schema.js'

/** A bare random name; nothing that leads elsewhere. */
const SPOOL_NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/

/** Largest settings anybody sends. */
const MAX_BYTES = 64 * 1024

/** Reads the settings a gateway left in the spool and deletes them, whatever they are.
 * @throws InvalidInput when the name is not a spool name, or the file is missing or not of the documented form. */
export async function consumeSetup(directory: string, name: string): Promise<NasSetup> {
  if (!SPOOL_NAME.test(name)) throw unreadable('its name is not one of the spool')
  const path = join(directory, name)
  let text: string
  try {
    // A link could point at any file of ours.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const { size } = await file.stat()
      if (size > MAX_BYTES) throw unreadable(`it has ${size} bytes; at most ${MAX_BYTES} are read`)
      text = await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof InvalidNasConfig) throw cause
    // The cause names the path only; the content never gets into a message.
    throw unreadable('it is not there', cause)
  } finally {
    await rm(path, { force: true })
  }
  return parseSetup(text)
}

/** Deletes what an earlier process was asked to read and did not. */
export async function emptySpool(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) {
    if (SPOOL_NAME.test(name)) await rm(join(directory, name), { force: true })
  }
}

function parseSetup(text: string): NasSetup {
  try {
    return checkJson(NasSetup, text)
  } catch {
    // Messages of the check quote values, and one of them is the password.
    throw unreadable('it does not hold host, share, username and password as text')
  }
}

const unreadable = (reason: string, cause?: unknown): LabError =>
  new InvalidNasConfig(`The settings of the share cannot be read: ${reason}.`, { cause })

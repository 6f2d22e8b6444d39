import type { LabError } from '../../events/core/errors.js'
import { InvalidNasConfig } from '../../events/nas/errors.js'
import { NasSetup } from '../../events/nas/nas.js'
import { checkJson } from '../../events/schema.js'
import { consumeSpooled } from '../runtime/spool.js'

/** Largest settings anybody sends. */
const MAX_BYTES = 64 * 1024

/** Reads the settings a gateway left in the spool and deletes them, whatever they are.
 * @throws InvalidInput when the name is not a spool name, or the file is missing or not of the documented form. */
export async function consumeSetup(directory: string, name: string): Promise<NasSetup> {
  const text = await consumeSpooled(directory, name, MAX_BYTES, unreadable)
  try {
    return checkJson(NasSetup, text)
  } catch {
    // Messages of the check quote values, and one of them is the password.
    throw unreadable('it does not hold host, share, username and password as text')
  }
}

const unreadable = (reason: string, cause?: unknown): LabError =>
  new InvalidNasConfig(`The settings of the share cannot be read: ${reason}.`, { cause })

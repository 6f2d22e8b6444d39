import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { ConfigSecrets, type ConfigSections } from '../events/config/config.js'
import { ConfigUnreadable } from '../events/config/errors.js'
import { checkJson } from '../events/schema.js'

const { O_RDONLY, O_NONBLOCK } = constants

/** More than the services take for a configuration file. */
const MAX_BYTES = 1024 * 1024

/** A configuration file as it is on the disk, byte for byte; empty when there is none. @throws ConfigUnreadable */
export async function readConfigBytes(path: string): Promise<Buffer> {
  try {
    // Nobody waits for who writes into a pipe.
    const file = await open(path, O_RDONLY | O_NONBLOCK)
    try {
      const info = await file.stat()
      if (!info.isFile() || info.size > MAX_BYTES) throw new Error('it is no file of a configuration')
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return Buffer.alloc(0)
    throw new ConfigUnreadable('Failed to read unit-specific config.', { cause, details: { cause: code ?? message } })
  }
}

/** Puts back what the services keep out of events. Without their file it stays redacted. */
export async function withSecrets(sections: ConfigSections, secretsPath: string): Promise<ConfigSections> {
  let secrets: ConfigSections
  try {
    secrets = checkJson(ConfigSecrets, await readFile(secretsPath, 'utf8')).sections
  } catch {
    return sections
  }
  return Object.fromEntries(
    Object.entries(sections).map(([section, options]) => [
      section,
      Object.fromEntries([...Object.entries(options), ...Object.entries(secrets[section] ?? {})]),
    ]),
  )
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ConfigSecrets, type ConfigSections } from '../../../events/config/config.js'
import { checkJson } from '../../../events/schema.js'
import { replaceFile } from '../../../primitives/replace-file.js'

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** None when there is no such file, or none that can be read. */
export async function readSecrets(path: string): Promise<ConfigSecrets> {
  try {
    return checkJson(ConfigSecrets, await readFile(path, 'utf8'))
  } catch {
    return { sections: {}, digests: {} }
  }
}

export const writeSecrets = (path: string, secrets: ConfigSecrets): Promise<void> =>
  replaceFile(path, JSON.stringify(secrets), { mode: 0o600 })

/** Values of `full` that `redacted` does not have. */
export const hiddenIn = (full: ConfigSections, redacted: ConfigSections): ConfigSections =>
  Object.fromEntries(
    Object.entries(full).flatMap(([section, options]) => {
      const shown = new Map(Object.entries(redacted[section] ?? {}))
      const hidden = Object.entries(options).filter(([option, value]) => shown.get(option) !== value)
      return hidden.length === 0 ? [] : [[section, Object.fromEntries(hidden)] as const]
    }),
  )

import { mkdir, readFile, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isInputError } from '../../events/core/errors.js'
import type { NasSetup } from '../../events/nas/nas.js'
import type { Clock, Logger } from '../../events/ports.js'
import { checkJson } from '../../events/schema.js'
import { replaceFile } from '../../primitives/replace-file.js'
import { configFor, credentialLines, NasConfig } from './nas-config.js'

export interface ConfigStore {
  /** The configuration and when it was made; null when there is none, or none that is usable. */
  read(): Promise<StoredConfig | null>
  /** Replaces configuration and credentials. @throws InvalidNasConfig; nothing has changed then. */
  save(setup: NasSetup): Promise<NasConfig>
}

export interface StoredConfig {
  readonly config: NasConfig
  /** Runs that ended earlier are not uploaded by themselves. */
  readonly since: Date
}

const CREDENTIALS_NAME = '.smbcredentials_nas'

/** The configuration file at `configPath`, the credentials beside it; both readable by their owner only. */
export function createConfigStore(
  configPath: string,
  { clock, logger }: { clock: Clock; logger: Logger },
): ConfigStore {
  return {
    async read() {
      try {
        const text = await readFile(configPath, 'utf8')
        return { config: checkJson(NasConfig, text, 'nas configuration'), since: (await stat(configPath)).mtime }
      } catch (error) {
        if (isMissing(error)) return null
        if (!isInputError(error)) throw error
        logger.warn({ path: configPath, reason: error.message }, 'NAS configuration is not usable')
        return null
      }
    },
    async save(setup) {
      const config = configFor(setup, { credPath: join(dirname(configPath), CREDENTIALS_NAME) })
      await mkdir(dirname(configPath), { recursive: true })
      await replaceFile(config.cred_path, credentialLines(setup, config.domain), PRIVATE)
      const sorted = Object.fromEntries(Object.entries(config).sort(([one], [other]) => (one < other ? -1 : 1)))
      await replaceFile(configPath, `${JSON.stringify(sorted, null, 2)}\n`, PRIVATE)
      // `since` is compared with times of events, which are the clock's, not the file system's.
      await utimes(configPath, clock.now(), clock.now())
      return config
    },
  }
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

/** For the owner alone, from the first byte on. */
const PRIVATE = { mode: 0o600 }

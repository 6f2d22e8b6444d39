import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineError } from '../../../events/core/errors.js'
import { type IniSections, MalformedConfig, mergeIni, parseIni, readOption } from './ini.js'

export const InvalidConfig = defineError('config.invalid', 'input', 'A value in a configuration file cannot be used.')

/** One temporary change: section, option, value. */
export type ConfigOverride = readonly [section: string, option: string, value: string]

/** The configuration a job starts with. */
export class UnitConfig {
  readonly #sections: IniSections

  constructor(sections: IniSections) {
    this.#sections = sections
  }

  /** Text of an option; undefined when it is absent or stands without a value. */
  find(section: string, option: string): string | undefined {
    return readOption(this.#sections, section, option) ?? undefined
  }

  /** Options of a section with their values; without those that have none. */
  entries(section: string): readonly (readonly [string, string])[] {
    return [...(this.#sections.get(section)?.keys() ?? [])].flatMap((option) => {
      const value = readOption(this.#sections, section, option)
      return value === null || value === undefined || value === '' ? [] : [[option, value] as const]
    })
  }

  has(section: string): boolean {
    return this.#sections.has(section)
  }

  /** The channel that carries a label in `[PWM]` or `[leds]`; undefined when none does. */
  channelOf(section: 'PWM' | 'leds', label: string): string | undefined {
    return this.entries(section).find(([, value]) => value === label)?.[0]
  }
}

/** The stock configuration, then `config.ini`, then `unit_config.ini`, then the overrides of one start; later ones win option by option.
 * @throws InvalidInput naming the file and line that cannot be read. */
export async function readUnitConfig(
  dotPioreactor: string,
  stock: IniSections,
  overrides: readonly ConfigOverride[] = [],
): Promise<UnitConfig> {
  const shared = await readIniFile(join(dotPioreactor, 'config.ini'))
  const own = await readIniFile(join(dotPioreactor, 'unit_config.ini'))
  const temporary = overrides.map(([section, option, value]) => new Map([[section, new Map([[option, value]])]]))
  return new UnitConfig(mergeIni(stock, shared, own, ...temporary))
}

/** A missing file says nothing. */
async function readIniFile(path: string): Promise<IniSections> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error
  }
  try {
    return parseIni(text)
  } catch (cause) {
    if (!(cause instanceof MalformedConfig)) throw cause
    throw new MalformedConfig(`${path}: ${cause.message}`, { cause, details: { ...cause.details, path } })
  }
}

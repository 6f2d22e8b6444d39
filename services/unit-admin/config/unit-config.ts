import { CONFIG_FILES, type ConfigFile } from '../../../events/config/config.js'
import { MalformedConfig } from '../../../events/config/errors.js'
import type { LabError } from '../../../events/core/errors.js'
import { parseConfig, readConfigText } from './config-files.js'
import { type IniSections, mergeIni, readOption } from './ini.js'

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

/** A configuration file as it is on the disk. */
export interface ConfigReading {
  readonly filename: ConfigFile
  /** Empty when there is no file, or when it could not be read at all. */
  readonly text: string
  /** None when there is an error. */
  readonly sections: IniSections
  readonly error: LabError | null
}

/** Reads a configuration file. One that is broken costs its own content. */
export async function readConfigFile(dotPioreactor: string, filename: ConfigFile): Promise<ConfigReading> {
  let text = ''
  try {
    text = await readConfigText(dotPioreactor, filename)
    return { filename, text, sections: parseConfig(filename, text), error: null }
  } catch (error) {
    if (!(error instanceof MalformedConfig)) throw error
    return { filename, text, sections: new Map(), error }
  }
}

/** The stock configuration, then `config.ini`, then `unit_config.ini`, then the overrides of one start; later ones win option by option.
 * @param options.spareBroken leaves a file out that cannot be read, for what must work whatever the files hold.
 * @throws MalformedConfig naming the file and line that cannot be read. */
export async function readUnitConfig(
  dotPioreactor: string,
  stock: IniSections,
  overrides: readonly ConfigOverride[] = [],
  { spareBroken = false }: { readonly spareBroken?: boolean } = {},
): Promise<UnitConfig> {
  const layers = [stock]
  for (const filename of CONFIG_FILES) {
    const { sections, error } = await readConfigFile(dotPioreactor, filename)
    if (error !== null && !spareBroken) throw error
    layers.push(sections)
  }
  const temporary = overrides.map(([section, option, value]) => new Map([[section, new Map([[option, value]])]]))
  return new UnitConfig(mergeIni(...layers, ...temporary))
}

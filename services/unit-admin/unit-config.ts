import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInput } from '../../events/errors.js'
import { type IniSections, mergeIni, parseIni, readOption } from './ini.js'
import { stockConfig } from './stock-config.js'

/** One temporary change: section, option, value. */
export type ConfigOverride = readonly [section: string, option: string, value: string]

export interface NumberLimits {
  readonly min?: number
  readonly max?: number
  /** The value must be above this. */
  readonly above?: number
  readonly unit?: string
}

const TRUE = new Set(['1', 'yes', 'true', 'on'])
const FALSE = new Set(['0', 'no', 'false', 'off'])

/** The configuration a job starts with. Every reader names what is wrong with a value: section, option, value, what is allowed. */
export class UnitConfig {
  readonly #sections: IniSections

  constructor(sections: IniSections) {
    this.#sections = sections
  }

  /** Text of an option; the fallback when it is absent or has no value. @throws InvalidInput `config.missing` without a fallback. */
  text(section: string, option: string, fallback?: string): string {
    const value = readOption(this.#sections, section, option) ?? fallback
    if (value !== undefined) return value
    throw new InvalidInput(
      `The configuration lacks [${section}] ${option}.`,
      { remediation: `Add ${option} to section [${section}] of config.ini or unit_config.ini.` },
      'config.missing',
    )
  }

  /** @throws InvalidInput `config.invalid` when it is not a finite number within the limits. */
  number(section: string, option: string, fallback?: number, limits: NumberLimits = {}): number {
    const text = this.text(section, option, fallback === undefined ? undefined : String(fallback))
    const value = text.trim() === '' ? Number.NaN : Number(text)
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, above, unit } = limits
    const ok = Number.isFinite(value) && value >= min && value <= max && (above === undefined || value > above)
    if (ok) return value
    const bounds = [
      ...(limits.min === undefined ? [] : [`at least ${min}`]),
      ...(limits.max === undefined ? [] : [`at most ${max}`]),
      ...(above === undefined ? [] : [`above ${above}`]),
    ]
    const allowed = ['a number', ...(unit === undefined ? [] : [`in ${unit}`]), bounds.join(' and ')].join(' ').trim()
    throw invalid(section, option, text, allowed)
  }

  boolean(section: string, option: string, fallback?: boolean): boolean {
    const text = this.text(section, option, fallback === undefined ? undefined : String(fallback))
    const lower = text.trim().toLowerCase()
    if (TRUE.has(lower)) return true
    if (FALSE.has(lower)) return false
    throw invalid(section, option, text, 'a boolean such as 1 or 0')
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

const invalid = (section: string, option: string, value: string, allowed: string): InvalidInput =>
  new InvalidInput(
    `[${section}] ${option} is '${value}'; it must be ${allowed}.`,
    { details: { section, option, value } },
    'config.invalid',
  )

/** Stock configuration, then `config.ini`, then `unit_config.ini`, then the overrides of one start; later ones win option by option.
 * @throws InvalidInput naming the file and line that cannot be read. */
export async function readUnitConfig(
  dotPioreactor: string,
  overrides: readonly ConfigOverride[] = [],
): Promise<UnitConfig> {
  const shared = await readIniFile(join(dotPioreactor, 'config.ini'))
  const own = await readIniFile(join(dotPioreactor, 'unit_config.ini'))
  const temporary = overrides.map(([section, option, value]) => new Map([[section, new Map([[option, value]])]]))
  return new UnitConfig(mergeIni(stockConfig(dotPioreactor), shared, own, ...temporary))
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
    if (!(cause instanceof InvalidInput)) throw cause
    throw new InvalidInput(`${path}: ${cause.message}`, { cause, details: { ...cause.details, path } }, cause.code)
  }
}

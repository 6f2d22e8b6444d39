import { ConfigUnreadable, InvalidConfig } from '../../../events/config/errors.js'
import { isInputError } from '../../../events/core/errors.js'
import type { Parameters } from '../../../events/core/parameter.js'
import { decodeValue } from '../../../events/core/values.js'
import { type IniSections, mergeIni } from './ini.js'
import { renderConfig } from './render-config.js'
import { type ConfigReading, UnitConfig } from './unit-config.js'

/** What reads settings from the configuration. */
export interface Configured {
  readonly parameters: Parameters
}

/** Whether a new text of unit_config.ini gives a configuration that clients and jobs can use.
 * @param own the new text, read. @throws MalformedConfig and InvalidConfig naming the option and its limit; ConfigUnreadable when it is config.ini that is broken */
export function checkUnitConfig(
  own: IniSections,
  shared: ConfigReading,
  stock: IniSections,
  configured: readonly Configured[],
): void {
  if (shared.error !== null)
    throw new ConfigUnreadable(`${shared.error.message} Until it is corrected nothing can be merged with it.`)
  const merged = mergeIni(stock, shared.sections, own)
  renderConfig(merged)
  const config = new UnitConfig(merged)
  for (const { config: place, ...parameter } of configured.flatMap(({ parameters }) => Object.values(parameters))) {
    if (place === undefined) continue
    const [section, option] = place
    // What the new text does not touch is not its fault.
    if (own.get(section)?.has(option) !== true) continue
    const text = config.find(section, option)
    if (text === undefined || text.trim() === '') continue
    try {
      decodeValue(`[${section}] ${option}`, parameter, text)
    } catch (cause) {
      if (!isInputError(cause)) throw cause
      throw new InvalidConfig(cause.message, { cause, details: { section, option, value: text.slice(0, 80) } })
    }
  }
}

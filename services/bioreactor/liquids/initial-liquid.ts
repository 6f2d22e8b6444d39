import type { Liquid } from '../../../events/bioreactor/liquids.js'
import { InvalidConfig } from '../../../events/config/errors.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import { filledVial } from '../control/dosing/liquid.js'

const SECTION = 'bioreactor'

/** What the configuration says is in the vial before the first dose. @throws InvalidConfig naming the option and its range. */
export function initialLiquid(config: UnitConfig, capacityMl: number): Liquid {
  const read = (option: string, standard: number, max: number, unit = ' mL'): number => {
    const text = config.find(SECTION, option)
    const value = text === undefined || text.trim() === '' ? standard : Number(text)
    if (value >= 0 && value <= max) return value
    const limit = Number.isFinite(max) ? `0 to ${max}${unit}` : `0${unit} or more`
    throw new InvalidConfig(`[${SECTION}] ${option} is '${text}'; it must be ${limit}.`, {
      remediation: `Correct ${option} in section [${SECTION}] of config.ini or unit_config.ini.`,
      details: { section: SECTION, option, value: text, limit: max },
    })
  }
  const added = (name: string): number => read(`initial_cumulative_${name}`, 0, Number.POSITIVE_INFINITY)
  return {
    ...filledVial({
      volume_ml: read('initial_volume_ml', 14, capacityMl),
      efflux_tube_volume_ml: read('efflux_tube_volume_ml', 14, capacityMl),
      alt_media_fraction: read('initial_alt_media_fraction', 0, 1, ''),
    }),
    added_ml: { media: added('media_added_ml'), alt_media: added('alt_media_added_ml') },
    removed_ml: added('waste_removed_ml'),
  }
}

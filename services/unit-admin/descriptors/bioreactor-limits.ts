import { BIOREACTOR_VARIABLES, BioreactorValues } from '../../../events/bioreactor/liquids.js'
import type { SettingsDescriptor } from '../../../events/descriptors/descriptors.js'
import type { UnitConfig } from '../config/unit-config.js'

/** mL in a vial of which the configuration says nothing. Source: Pioreactor 26.7. */
const STANDARD: Readonly<Record<string, number>> = { current_volume_ml: 14, efflux_tube_volume_ml: 14 }

const optionOf = (key: string): string => {
  if (key === 'efflux_tube_volume_ml') return key
  return key === 'current_volume_ml' ? 'initial_volume_ml' : `initial_${key}`
}

/** The collection of the bioreactor with defaults from the configuration, limits of its values, and no keys that are none of them. */
export function withBioreactorLimits(collection: SettingsDescriptor, config: UnitConfig): SettingsDescriptor {
  if (collection.key !== 'bioreactor') return collection
  const names: readonly string[] = BIOREACTOR_VARIABLES
  return {
    ...collection,
    published_settings: collection.published_settings
      .filter(({ key }) => names.includes(key))
      .map((setting) => {
        const { minimum = null, maximum = null } = BioreactorValues.properties[setting.key as 'alt_media_fraction']
        return { ...setting, default: initial(setting.key, config), min: minimum, max: maximum }
      }),
  }
}

function initial(key: string, config: UnitConfig): number {
  const standard = STANDARD[key] ?? 0
  try {
    const text = config.find('bioreactor', optionOf(key)) ?? ''
    const value = Number(text)
    return text.trim() === '' || !Number.isFinite(value) ? standard : value
  } catch {
    // A reference that does not resolve is told of where the configuration is.
    return standard
  }
}

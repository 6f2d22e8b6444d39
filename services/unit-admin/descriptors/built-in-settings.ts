import type { PublishedSetting, SettingsDescriptor } from '../../../events/descriptors/descriptors.js'
import { publishedSetting } from './fields.js'

const amount = (key: string, label: string, description: string, unit: string | null = 'mL'): PublishedSetting =>
  publishedSetting(key, 'numeric', { display: true, label, description, unit })

const level = (key: string, label: string): PublishedSetting =>
  publishedSetting(key, 'string', { display: true, label, editable: false })

/** Defaults and limits of the bioreactor's follow from its configuration. Source: Pioreactor 26.7 (`unit-api-behaviour` §5.3). */
export const builtInSettings: readonly SettingsDescriptor[] = [
  {
    ...{ key: 'bioreactor', display_name: 'Bioreactor', display: true },
    published_settings: [
      amount('current_volume_ml', 'Current volume', 'Liquid in the vial, as accounted for.'),
      amount('efflux_tube_volume_ml', 'Efflux tube level', 'Volume up to the end of the efflux tube.'),
      amount('alt_media_fraction', 'Alt media fraction', 'Share of the alternative medium in the vial.', null),
      amount('cumulative_media_added_ml', 'Cumulative media added', 'Medium added in this experiment.'),
      amount('cumulative_waste_removed_ml', 'Cumulative waste removed', 'Waste removed in this experiment.'),
    ],
    ...{ source: 'app', description: 'Of the bioreactor of this unit.', subtext: null },
  },
  {
    ...{ key: 'leds', display_name: 'led intensity', display: false },
    published_settings: [level('intensity', 'LED intensity')],
    ...{ source: 'app', description: null, subtext: null },
  },
  {
    ...{ key: 'pwms', display_name: 'PWMs', display: false },
    published_settings: [level('dc', 'PWM intensity')],
    ...{ source: 'app', description: null, subtext: null },
  },
]

import type { JobDefinition } from '../../../events/core/define-job.js'
import type { Parameter } from '../../../events/core/parameter.js'
import type { JobDescriptor, PublishedSetting } from '../../../events/descriptors/descriptors.js'
import { fieldType, publishedSetting } from './fields.js'

/** A setting that is shown: by its label, unless the job's declaration has it. */
type Shown = readonly [key: string, description: string | null, label?: string]

interface Shows {
  readonly job_name: string
  readonly display_name: string
  readonly description?: string
  readonly subtext?: string
  readonly shown?: readonly Shown[]
  /** Published, but not on the card. */
  readonly hidden?: readonly string[]
  /** Hidden ones whose type does not follow from a declaration, or is another one there. */
  readonly types?: Readonly<Record<string, PublishedSetting['type']>>
}

const AUTOMATION = { subtext: 'automation_name', hidden: ['automation_name'] } as const

const TESTS = [
  'test_detect_heating_pcb',
  'test_positive_correlation_between_temperature_and_heating',
  'test_all_positive_correlations_between_pds_and_leds',
  'test_ambient_light_interference',
  'test_REF_is_lower_than_0_dot_256_volts',
  'correlations_between_pds_and_leds',
  'test_positive_correlation_between_rpm_and_stirring',
  'test_pioreactor_HAT_present',
  'test_dark_offset_correction_is_effective',
  'test_REF_is_in_correct_position',
  'test_aux_power_is_not_too_high',
  'test_PD_is_near_0_volts_for_blank',
  'all_tests_passed',
] as const

/** In the order of the cards. Source: Pioreactor 26.7 (`unit-api-behaviour` §5.2). */
const JOBS: readonly Shows[] = [
  {
    job_name: 'stirring',
    display_name: 'Stirring',
    description: 'Stirs the culture. Mixing and good optical readings need it.',
    shown: [
      [
        'target_rpm',
        'Changes optical readings too. Too slow and the bar stops; too fast and a vortex gets into the light.',
      ],
    ],
  },
  {
    job_name: 'od_reading',
    display_name: 'Optical density',
    description: 'Records the optical density of the culture.',
  },
  {
    job_name: 'growth_rate_calculating',
    display_name: 'Growth rate',
    description:
      'Makes a growth rate of the optical density. Start it after inoculation; it looks at the culture for some minutes first.',
  },
  {
    job_name: 'temperature_automation',
    display_name: 'Temp. automation',
    description: 'Controls the temperature of the culture.',
    shown: [
      ['target_temperature', 'Above that of the room, up to 50 ℃. Of the thermostat only.', 'Target temperature'],
    ],
    ...AUTOMATION,
  },
  {
    job_name: 'dosing_automation',
    display_name: 'Dosing automation',
    description: 'Doses the culture as a chemostat, turbidostat, fed batch and the like.',
    shown: [
      ['duration', 'Usually 0.5 to 60 minutes. A change may dose at once.', 'Time between dosing'],
      ['exchange_volume_ml', 'Exchanged each time, usually 0 to 2 mL.', 'Exchange volume'],
      ['target_biomass', 'In the unit of the chosen signal.', 'Target biomass'],
      ['biomass_signal', 'One of normalized_od, od_fused, od.', 'Biomass signal'],
    ],
    ...AUTOMATION,
  },
  {
    job_name: 'led_automation',
    display_name: 'LED automation',
    description: 'Drives the LEDs, for example as day and night.',
    ...AUTOMATION,
  },
  ...['add_media', 'remove_waste', 'add_alt_media', 'circulate_media', 'circulate_alt_media'].map((job_name) => ({
    job_name,
    display_name: job_name.replaceAll('_', ' '),
  })),
  {
    job_name: 'self_test',
    display_name: 'self test',
    hidden: TESTS,
    types: {
      ...Object.fromEntries(TESTS.map((test) => [test, 'boolean' as const])),
      correlations_between_pds_and_leds: 'json',
    },
  },
  { job_name: 'od_blank', display_name: 'od blank', hidden: ['means'], types: { means: 'json' } },
  { job_name: 'stirring_calibration', display_name: 'stirring calibration' },
]

/** @param jobs what they declare of type, unit and label stands there alone. */
export const builtInJobs = (jobs: readonly JobDefinition[]): JobDescriptor[] =>
  JOBS.map(({ job_name, display_name, description = null, subtext = null, shown = [], hidden = [], types = {} }) => {
    const declared = (key: string): Parameter | undefined =>
      jobs.flatMap(({ name, settings }) => (name === job_name ? (settings[key] ?? []) : []))[0]
    return {
      ...{ display_name, job_name },
      // What is only published has no card.
      display: description !== null,
      published_settings: [
        ...shown.map(([key, text, label]) => {
          const parameter = declared(key)
          return publishedSetting(key, fieldType(parameter), {
            ...{ display: true, description: text, label: label ?? parameter?.label ?? null },
            unit: parameter?.unit ?? null,
          })
        }),
        ...hidden.map((key) => publishedSetting(key, types[key] ?? fieldType(declared(key)), {})),
      ],
      ...{ source: 'app', description, subtext, is_testing: false },
    }
  })

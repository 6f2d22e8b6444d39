import type { JobDefinition } from '../../../events/core/define-job.js'
import type { AutomationDescriptor, AutomationField, AutomationType } from '../../../events/descriptors/descriptors.js'
import { fieldType } from './fields.js'

/** A field of a form: its label, and what does not follow from the declaration of its parameter. */
type Field = readonly [key: string, label: string, more?: Partial<AutomationField>]

interface Form {
  readonly automation_name: string
  readonly display_name: string
  readonly description: string
  readonly fields: readonly Field[]
}

/** Sent by forms although nothing follows from it. */
const unused = (label: string, minutes: number, disabled = true): Field => [
  'duration',
  label,
  { default: minutes, unit: 'min', type: 'numeric', disabled },
]

/** In the order of the choices. Source: Pioreactor 26.7 (`unit-api-behaviour` §5.4). */
const FORMS: Readonly<Record<AutomationType, readonly Form[]>> = {
  temperature: [
    {
      ...{ automation_name: 'thermostat', display_name: 'Thermostat' },
      description: 'Heats as much as holds the culture at a temperature.',
      fields: [['target_temperature', 'Target temperature', { default: 30 }]],
    },
    {
      ...{ automation_name: 'only_record_temperature', display_name: 'Only record temperature' },
      description: 'Measures the temperature and does not heat.',
      fields: [],
    },
  ],
  dosing: [
    {
      ...{ automation_name: 'chemostat', display_name: 'Chemostat' },
      description: 'Exchanges a volume at regular times.',
      fields: [
        ['duration', 'Time between dosing'],
        ['exchange_volume_ml', 'Exchange volume'],
      ],
    },
    {
      ...{ automation_name: 'turbidostat', display_name: 'Turbidostat' },
      description: 'Exchanges a volume whenever the chosen signal has reached the target.',
      fields: [
        ['target_biomass', 'Target'],
        ['exchange_volume_ml', 'Exchange volume'],
        ['biomass_signal', 'Biomass signal'],
      ],
    },
    {
      ...{ automation_name: 'fed_batch', display_name: 'Fed Batch' },
      description: 'Adds a volume at regular times and removes nothing.',
      fields: [
        ['duration', 'Duration between additions'],
        ['dosing_volume_ml', 'Volume per dose'],
      ],
    },
    {
      ...{ automation_name: 'pid_morbidostat', display_name: 'PID Morbidostat' },
      description:
        'Holds a growth rate by the share of the alternative medium. The target must be below what the culture can reach.',
      fields: [
        ['duration', 'Time between events'],
        ['target_normalized_od', 'Target OD'],
        ['target_growth_rate', 'Target growth rate'],
      ],
    },
    {
      ...{ automation_name: 'silent', display_name: 'Silent', description: 'Does nothing.' },
      fields: [unused('Duration between events', 30)],
    },
  ],
  led: [
    {
      ...{ automation_name: 'light_dark_cycle', display_name: 'Light/Dark Cycle' },
      description: 'Switches LED channels C and D on and off by turns.',
      fields: [
        unused('Duration between checks', 1),
        ['light_intensity', 'Light intensity'],
        ['light_duration_minutes', 'Light duration'],
        ['dark_duration_minutes', 'Dark duration'],
      ],
    },
    {
      ...{ automation_name: 'silent', display_name: 'Silent', description: 'Does nothing.' },
      fields: [unused('Duration between events', 30, false)],
    },
  ],
}

/** @param jobs what they declare of default, unit and type stands there alone. */
export const builtInAutomations = (kind: AutomationType, jobs: readonly JobDefinition[]): AutomationDescriptor[] =>
  FORMS[kind].map(({ automation_name, display_name, description, fields }) => {
    const declared = jobs.find(
      ({ name, automation }) => name === `${kind}_automation` && automation === automation_name,
    )
    return {
      ...{ display_name, automation_name, description, source: null },
      fields: fields.map(([key, label, more]) => {
        const parameter = declared?.parameters[key]
        const type = fieldType(parameter)
        return {
          key,
          default: (parameter?.default ?? null) as AutomationField['default'],
          ...{ label, disabled: false, required: true, unit: parameter?.unit ?? null },
          type: type === 'json' ? 'string' : type,
          options: null,
          ...more,
        }
      }),
    }
  })

import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { defineEvent, type EventDefinition } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** What the web interface of a leader builds its cards and forms from. A field with a `default` may be left out of a file; answers have all of
 * them. Source: `unit-api-behaviour` §5.1. */

const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()], { default: null })
const TextOrNull = orNull(Type.String())
const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])
const STRICT = { additionalProperties: false }

const PublishedSetting = Type.Object(
  {
    key: Type.String(),
    type: Type.Union((['numeric', 'boolean', 'string', 'json'] as const).map((type) => Type.Literal(type))),
    display: Type.Boolean(),
    description: TextOrNull,
    default: Type.Union([...Scalar.anyOf], { default: null }),
    unit: TextOrNull,
    label: TextOrNull,
    editable: Type.Boolean({ default: true }),
    min: orNull(Type.Number()),
    max: orNull(Type.Number()),
  },
  STRICT,
)
export type PublishedSetting = Static<typeof PublishedSetting>

export const JobDescriptor = Type.Object(
  {
    display_name: Type.String(),
    job_name: Type.String(),
    display: Type.Boolean(),
    published_settings: Type.Array(PublishedSetting),
    source: TextOrNull,
    description: TextOrNull,
    subtext: TextOrNull,
    is_testing: Type.Boolean({ default: false }),
  },
  STRICT,
)
export type JobDescriptor = Static<typeof JobDescriptor>

export const SettingsDescriptor = Type.Object(
  {
    key: Type.String(),
    display_name: Type.String(),
    display: Type.Boolean(),
    published_settings: Type.Array(PublishedSetting),
    source: TextOrNull,
    description: TextOrNull,
    subtext: TextOrNull,
  },
  STRICT,
)
export type SettingsDescriptor = Static<typeof SettingsDescriptor>

const AutomationField = Type.Object(
  {
    key: Type.String(),
    default: Scalar,
    label: Type.String(),
    disabled: Type.Boolean({ default: false }),
    required: Type.Boolean({ default: true }),
    unit: TextOrNull,
    type: Type.Union(
      (['numeric', 'string', 'select', 'boolean'] as const).map((type) => Type.Literal(type)),
      { default: 'numeric' },
    ),
    options: orNull(Type.Array(Type.String())),
  },
  STRICT,
)
export type AutomationField = Static<typeof AutomationField>

export const AutomationDescriptor = Type.Object(
  {
    display_name: Type.String(),
    automation_name: Type.String(),
    description: Type.String(),
    source: TextOrNull,
    fields: Type.Array(AutomationField, { default: [] }),
  },
  STRICT,
)
export type AutomationDescriptor = Static<typeof AutomationDescriptor>

export const AUTOMATION_TYPES = ['temperature', 'dosing', 'led'] as const
export type AutomationType = (typeof AUTOMATION_TYPES)[number]

const listed = <S extends TSchema>(descriptor: S) =>
  Type.Object({ descriptors: Type.Array(descriptor), timestamp: Timestamp })

export const jobDescriptorsEvent = defineEvent({
  pattern: 'system/<unit>/descriptors/jobs',
  retained: true,
  payload: listed(JobDescriptor),
  doc: 'How a web interface shows the jobs of the unit.',
})

export const settingsDescriptorsEvent = defineEvent({
  pattern: 'system/<unit>/descriptors/settings',
  retained: true,
  payload: listed(SettingsDescriptor),
  doc: 'How a web interface shows what is set beside jobs.',
})

export const automationDescriptorsEvent = defineEvent({
  pattern: 'system/<unit>/descriptors/automations/<automation_type>',
  retained: true,
  payload: listed(AutomationDescriptor),
  doc: 'The forms that start the automations of a kind.',
})

export const descriptorEvents: readonly EventDefinition[] = [
  jobDescriptorsEvent,
  settingsDescriptorsEvent,
  automationDescriptorsEvent,
]

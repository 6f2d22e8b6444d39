import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** What an automation did last. Source: Pioreactor 26.7 `AutomationEvent`. */
export const AutomationEvent = Type.Object(
  {
    event_name: Type.String(),
    message: Type.Union([Type.String(), Type.Null()]),
    data: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  },
  { title: 'AutomationEvent' },
)
export type AutomationEvent = Static<typeof AutomationEvent>

/** Settings that were in force from `started_at` to `ended_at`. `settings` is base64 text of a JSON object. */
export const AutomationSettings = Type.Object({
  pioreactor_unit: Type.String(),
  experiment: Type.String(),
  started_at: Timestamp,
  ended_at: Type.Union([Timestamp, Type.Null()]),
  automation_name: Type.String(),
  settings: Type.String(),
})
export type AutomationSettings = Static<typeof AutomationSettings>

export const automationSettingsEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/<kind>_automation/<kind>_automation_settings',
  retained: false,
  payload: AutomationSettings,
  doc: 'Settings of an automation that were in force for a time, in base64; published when one changes and at the end.',
})

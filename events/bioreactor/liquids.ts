import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** What a pump moved since its last event, up to `timestamp`. Source: Pioreactor 26.7 `DosingEvent`. */
export const DosingEvent = Type.Object(
  {
    volume_change: Type.Number({ unit: 'mL' }),
    event: Type.String(),
    source_of_event: Type.Union([Type.String(), Type.Null()]),
    timestamp: Timestamp,
  },
  { title: 'DosingEvent' },
)
export type DosingEvent = Static<typeof DosingEvent>

/** Doses of this source went into a measuring glass. */
export const PUMP_CALIBRATION = 'pump_calibration'

export const dosingEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/dosing_events',
  retained: false,
  payload: DosingEvent,
  doc: 'Liquid that a pump has moved, mL, told every 0.5 s while it runs and when it stops; `event` is `add_media`, `add_alt_media`, `add_<name>` of a plugin or `remove_waste`.',
})

export const bioreactorVariableEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/bioreactor/<variable>',
  retained: true,
  payload: Type.Number({ minimum: 0 }),
  doc: 'What the vial holds and what went through it: `current_volume_ml`, `efflux_tube_volume_ml`, `cumulative_media_added_ml`, `cumulative_alt_media_added_ml`, `cumulative_waste_removed_ml` in mL, and `alt_media_fraction`, 0 to 1.',
})

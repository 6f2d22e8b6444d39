import { Type } from '@sinclair/typebox'
import { defineEvent } from '../../events/core/define-event.js'
import { Timestamp } from '../../events/core/timestamp.js'

export const lampEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/lamp_events',
  retained: false,
  payload: Type.Object({ minutes: Type.Number({ minimum: 0, unit: 'min' }), timestamp: Timestamp }),
  doc: 'The lamp is lit, and for how long.',
})

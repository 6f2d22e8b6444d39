import { Type } from '@sinclair/typebox'
import { defineCommand } from '../../../events/core/define-command.js'
import { defineEvent } from '../../../events/core/define-event.js'
import { Timestamp } from '../../../events/core/timestamp.js'
import { choice } from '../../../events/core/values.js'

export const massEvent = defineEvent({
  pattern: 'balance/<unit>/mass',
  retained: true,
  payload: Type.Object({
    /** Null where there is nothing to be read. */
    mass: Type.Union([Type.Number({ unit: 'g' }), Type.Null()]),
    quality: choice(['stable', 'moving', 'overload', 'underload', 'absent'] as const),
    timestamp: Timestamp,
  }),
  doc: 'What lies on the balance, in g, and how far it can be relied upon.',
})

export const tareCommand = defineCommand({
  name: 'tare_balance',
  payload: Type.Object({}),
  result: Type.Object({ tare: Type.Number({ unit: 'g' }) }),
  doc: 'Takes what lies on the balance as its zero.',
})

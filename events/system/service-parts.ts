import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

/** Whether one part of the services works: an instrument, or the uploads. */
export const ServicePartRecord = Type.Object({
  /** `failed` is tried again by itself, but for what its reason says. */
  state: choice(['starting', 'ready', 'failed', 'stopped', 'lost'] as const),
  /** Why it does not work. */
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type ServicePartRecord = Static<typeof ServicePartRecord>

export const servicePartEvent = defineEvent({
  pattern: 'system/<unit>/services/<service>',
  retained: true,
  payload: ServicePartRecord,
  doc: 'Whether an instrument, or another part of the services, works. One that failed costs none of the others and is started again.',
})

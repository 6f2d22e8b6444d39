import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

/** How the read models follow the log. */
export const ProjectionsRecord = Type.Object({
  /** `behind`: events of ten seconds ago are not folded yet. `failed`: folding does not go on; it is tried again. */
  state: choice(['current', 'behind', 'failed'] as const),
  /** Events that are recorded and not folded. */
  events_behind: Type.Integer({ minimum: 0 }),
  /** Events that a read model could not make anything of; the others went on. */
  parked_events: Type.Integer({ minimum: 0 }),
  /** Why it failed. */
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type ProjectionsRecord = Static<typeof ProjectionsRecord>

export const projectionsEvent = defineEvent({
  pattern: 'system/<unit>/projections',
  retained: true,
  payload: ProjectionsRecord,
  doc: 'How far the read models are behind the log, and how many events they could not fold; told when it changes, every ten seconds at most.',
})

import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** The payload refused is not repeated. */
export const Refusal = Type.Object({
  client: Type.String(),
  topic: Type.String(),
  bytes: Type.Integer(),
  reason: Type.String(),
  timestamp: Timestamp,
})
export type Refusal = Static<typeof Refusal>

export const refusalEvent = defineEvent({
  pattern: 'system/<unit>/refusals',
  retained: false,
  payload: Refusal,
  doc: 'A publish that access rights refused.',
})

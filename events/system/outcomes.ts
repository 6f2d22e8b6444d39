import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { ErrorPayload } from '../core/error-payload.js'
import { Timestamp } from '../core/timestamp.js'
import { commandTopic } from '../topic.js'

/** How a command ended; an order on a `/set` topic may have no `id`. */
export const CommandOutcome = Type.Object({
  id: Type.Optional(Type.String()),
  accepted: Type.Boolean(),
  /** What the command produced; for a `/set` the value now in force. */
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type CommandOutcome = Static<typeof CommandOutcome>

export const outcomeEvent = defineEvent({
  pattern: 'system/<unit>/outcomes/<id>',
  retained: false,
  payload: CommandOutcome,
  doc: 'Outcome of the command with that id.',
})

export const settingOutcomeEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/<job>/<setting>/set/outcome',
  retained: false,
  payload: CommandOutcome,
  doc: 'Outcome of a `/set`.',
})

/** Early logs hold outcomes where orders are now, the id in the place of the command's name. */
export const EARLY_OUTCOME_FILTER = commandTopic('+', '+')

import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

export const LogMessage = Type.Object(
  { source: Type.String(), task: Type.String(), message: Type.String(), level: Type.String(), timestamp: Timestamp },
  { title: 'Log' },
)
export type LogMessage = Static<typeof LogMessage>

export const logEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/logs/<source>/<level>',
  retained: false,
  payload: LogMessage,
  doc: 'Log message of a job.',
})

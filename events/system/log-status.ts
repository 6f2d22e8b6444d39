import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

export const LogStatus = Type.Object({
  writable: Type.Boolean(),
  /** Last position on disk. */
  position: Type.Integer(),
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type LogStatus = Static<typeof LogStatus>

export const logStatusEvent = defineEvent({
  pattern: '$SYS/benchlog/log',
  retained: true,
  payload: LogStatus,
  doc: 'State of the event log; never recorded itself.',
})

import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { ErrorPayload } from '../core/error-payload.js'
import { Timestamp } from '../core/timestamp.js'

export const TaskRecord = Type.Object({
  task_id: Type.String(),
  name: Type.String(),
  /** `pending`: accepted, and waiting in the gateway until the services are there. */
  status: Type.Union((['pending', 'running', 'succeeded', 'failed'] as const).map((status) => Type.Literal(status))),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type TaskRecord = Static<typeof TaskRecord>

export const taskEvent = defineEvent({
  pattern: 'system/<unit>/tasks/<task_id>',
  retained: true,
  payload: TaskRecord,
  doc: 'Status and result of asynchronous work.',
})

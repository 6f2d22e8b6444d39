import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { ErrorPayload } from '../core/error-payload.js'
import { Timestamp } from '../core/timestamp.js'

export const TaskRecord = Type.Object({
  task_id: Type.String(),
  name: Type.String(),
  /** `pending`: accepted, and waiting for the services or for its lock. `running`: being done. */
  status: Type.Union((['pending', 'running', 'succeeded', 'failed'] as const).map((status) => Type.Literal(status))),
  result: Type.Optional(Type.Unknown()),
  /** What no other task of the same lock may be under way with. */
  lock: Type.Optional(Type.String()),
  /** Set while a service keeps it until the lock is free: it ends with that service. */
  waits_for_lock: Type.Optional(Type.Literal(true)),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type TaskRecord = Static<typeof TaskRecord>

/** Whether nothing more will come of it. */
export const isTaskOver = ({ status }: Pick<TaskRecord, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed'

export const taskEvent = defineEvent({
  pattern: 'system/<unit>/tasks/<task_id>',
  retained: true,
  payload: TaskRecord,
  doc: 'Status and result of asynchronous work.',
})

import { TaskRecord } from '../events/payloads.js'
import { foldProjection } from './projection.js'

export type TaskRow = {
  readonly task_id: string
  readonly unit: string
  readonly status: string
  readonly record: string
}

/** Asynchronous work by id. `record` is the task as last published, JSON. A cleared task is forgotten. */
export const tasks = foldProjection<TaskRow>({
  name: 'tasks',
  version: 1,
  on: ['system/+/tasks/+'],
  columns: { task_id: 'TEXT', unit: 'TEXT', status: 'TEXT', record: 'TEXT' },
  key: ['task_id'],
  keys: (event) => [[event.level(3)]],
  evolve: (_, event) =>
    event.isEmpty
      ? null
      : { task_id: event.level(3), unit: event.level(1), status: event.as(TaskRecord).status, record: event.text },
})

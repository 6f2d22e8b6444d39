import { TaskRecord, taskEvent } from '../../events/system/tasks.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type TaskRow = {
  readonly task_id: string
  readonly unit: string
  readonly status: string
  readonly record: string
}

/** Asynchronous work by id. `record` is the task as last published, JSON. A cleared task is forgotten. */
const taskTable = foldProjection<TaskRow>({
  name: 'tasks',
  version: 1,
  on: [taskEvent.filter()],
  columns: { task_id: 'TEXT', unit: 'TEXT', status: 'TEXT', record: 'TEXT' },
  key: ['task_id'],
  keys: (event) => [[event.level(3)]],
  evolve: (_, event) =>
    event.isEmpty
      ? null
      : { task_id: event.level(3), unit: event.level(1), status: event.as(TaskRecord).status, record: event.text },
})

export const tasks = readModel([taskTable], (tables: Tables<{ tasks: TaskRow }>) => {
  const byId = tables.query<{ id: string }, Pick<TaskRow, 'record'>>((from, value) =>
    from.selectFrom('tasks').select('record').where('task_id', '=', value('id')),
  )
  return {
    /** The task as last published; null when there is none. */
    async task(id: string): Promise<TaskRecord | null> {
      const [found] = await byId({ id })
      // It was checked when it was folded.
      return found === undefined ? null : (JSON.parse(found.record) as TaskRecord)
    },
  }
})

import { isTaskOver, TaskRecord, taskEvent } from '../../events/system/tasks.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type TaskRow = {
  readonly task_id: string
  readonly unit: string
  readonly status: string
  readonly lock: string | null
  readonly record: string
}

/** Asynchronous work by id. `record` is the task as last published, JSON. A cleared task is forgotten. */
const taskTable = foldProjection<TaskRow>({
  name: 'tasks',
  version: 2,
  on: [taskEvent.filter()],
  columns: { task_id: 'TEXT', unit: 'TEXT', status: 'TEXT', lock: 'TEXT', record: 'TEXT' },
  indexes: [{ columns: ['lock'] }],
  key: ['task_id'],
  keys: (event) => [[event.level(3)]],
  evolve(_, event) {
    if (event.isEmpty) return null
    const task = event.as(TaskRecord)
    // Held until the task is over.
    const lock = isTaskOver(task) ? null : (task.lock ?? null)
    return { task_id: event.level(3), unit: event.level(1), status: task.status, lock, record: event.text }
  },
})

export const tasks = readModel([taskTable], (tables: Tables<{ tasks: TaskRow }>) => {
  const byId = tables.query<{ id: string }, Pick<TaskRow, 'record'>>((from, value) =>
    from.selectFrom('tasks').select('record').where('task_id', '=', value('id')),
  )
  const byLock = tables.query<{ lock: string }, Pick<TaskRow, 'task_id'>>((from, value) =>
    from.selectFrom('tasks').select('task_id').where('lock', '=', value('lock')).limit(1),
  )
  return {
    /** Whether a task of this lock is under way, or accepted and waiting. */
    isLockHeld: async (lock: string): Promise<boolean> => (await byLock({ lock })).length > 0,
    /** The task as last published; null when there is none. */
    async task(id: string): Promise<TaskRecord | null> {
      const [found] = await byId({ id })
      // It was checked when it was folded.
      return found === undefined ? null : (JSON.parse(found.record) as TaskRecord)
    },
  }
})

import { Type } from '@sinclair/typebox'
import { type Endpoint, endpoint, Reply } from '../../framework/endpoint.js'
import { areCurrent } from '../../readiness.js'
import { taskUrl } from './task-endpoint.js'

const Task = Type.Object({
  task_id: Type.String(),
  result_url_path: Type.String(),
  status: Type.Union((['pending', 'running', 'succeeded', 'failed'] as const).map((status) => Type.Literal(status))),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.String()),
  cause: Type.Optional(Type.String()),
  remediation: Type.Optional(Type.String()),
})

const getTaskResult = endpoint({
  method: 'get',
  path: '/unit_api/task_results/:task_id',
  summary:
    'State of asynchronous work: 202 while pending or running, 200 when it succeeded or failed. An unknown id is pending.',
  params: Type.Object({ task_id: Type.String() }),
  response: Task,
  needs: 'nothing',
  errors: [],
  async handle({ params: { task_id } }, context) {
    // A task that is not known yet is answered like one that does not exist: clients ask again.
    const task = (await areCurrent(context)) ? await context.readModels.task(task_id) : null
    const head = { task_id, result_url_path: taskUrl(task_id) }
    if (task === null) return new Reply(202, { ...head, status: 'pending' as const })
    switch (task.status) {
      case 'pending':
      case 'running':
        return new Reply(202, { ...head, status: task.status })
      case 'succeeded':
        return { ...head, status: 'succeeded' as const, result: task.result ?? null }
      case 'failed':
        return {
          ...head,
          status: 'failed' as const,
          error: task.error?.message ?? 'The task failed.',
          cause: 'The task ended with an error.',
          remediation: task.error?.remediation ?? 'Look into the logs, then try again.',
        }
    }
  },
})

export const tasks: readonly Endpoint[] = [getTaskResult]

import { type Static, Type } from '@sinclair/typebox'
import type { GatewayContext } from '../../context.js'

export const taskUrl = (taskId: string): string => `/unit_api/task_results/${taskId}`

/** What every asynchronous endpoint of the unit API answers with 202. */
export const Accepted = Type.Object({
  unit: Type.String(),
  task_id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }),
  result_url_path: Type.String(),
  status: Type.Literal('accepted'),
})

export const accepted = ({ unit }: GatewayContext, taskId: string): Static<typeof Accepted> => ({
  unit,
  task_id: taskId,
  result_url_path: taskUrl(taskId),
  status: 'accepted',
})

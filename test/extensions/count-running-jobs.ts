import { Type } from '@sinclair/typebox'
import { type Endpoint, endpoint } from '../../http-gateway/framework/endpoint.js'

const countRunningJobs = endpoint({
  method: 'get',
  path: '/unit_api/jobs/count',
  summary: 'How many jobs run now.',
  response: Type.Object({ running: Type.Integer({ minimum: 0 }) }),
  errors: [],
  handle: async (_input, { readModels }) => ({ running: (await readModels.jobs({ running: true })).length }),
})

export const jobCounts: readonly Endpoint[] = [countRunningJobs]

import { afterEach, expect, test } from 'vitest'
import { defineJob, STOP_ORDERS, type StopOrder } from '../../../events/core/define-job.js'
import { createJob } from '../../../services/jobs/job.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'

let lab: BioreactorLab
afterEach(() => lab.close())

test('what can do harm stops first, lights last, whatever the names', async () => {
  const ended: string[] = []
  const job = (stopOrder: StopOrder) =>
    createJob(defineJob({ name: `job_${stopOrder}`, help: '', stopOrder, parameters: {} }), async ({ atEnd }) => {
      atEnd(() => void ended.push(stopOrder))
      return { setters: {}, sleep: async () => undefined, wake: async () => undefined }
    })
  const backwards = [...STOP_ORDERS].reverse()
  lab = await startBioreactorLab({ jobs: () => backwards.map(job) })
  for (const stopOrder of backwards) expect(await lab.run(`job_${stopOrder}`)).toMatchObject({ status: 'succeeded' })
  await lab.service.stop()
  expect(ended).toEqual(['outputs', 'automations', 'others', 'lights'])
})

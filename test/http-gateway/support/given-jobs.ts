import type { JobCapability } from '../../../events/core/capability.js'
import type { ModeDeclaration } from '../../../events/define-mode.js'
import type { JobRecord } from '../../../events/system/jobs.js'
import type { ServiceRecord } from '../../../events/system/services.js'
import type { TaskRecord } from '../../../events/system/tasks.js'
import { jobRecord } from '../../support/job-record.js'
import type { TestEvent } from '../../support/memory-log.js'

const STARTED_AT = '2026-01-02T03:04:05.000Z'

/** A running stirring job, with fields a test may override. */
export const job = (values: Partial<JobRecord> = {}): TestEvent => {
  const record = jobRecord({ experiment: 'exp1', started_at: STARTED_AT, leader: 'u1', ...values })
  return { topic: `system/u1/jobs/${record.job_id}`, payload: record }
}

/** A setting of the stirring job as it is published. */
export const setting = (name: string, payload: string): TestEvent => ({
  topic: `pioreactor/u1/exp1/stirring/${name}`,
  payload,
})

export const task = (values: Partial<TaskRecord>): TestEvent => ({
  topic: 'system/u1/tasks/t',
  payload: { task_id: 't', name: 'run_job', status: 'running', timestamp: STARTED_AT, ...values },
})

export const jobOffer = (capability: JobCapability): TestEvent => ({
  topic: `system/u1/capabilities/jobs/${capability.job_name}`,
  payload: capability,
})

export const modeOffer = (mode: ModeDeclaration): TestEvent => ({
  topic: `system/u1/capabilities/modes/${mode.mode}`,
  payload: mode,
})

/** How the services process says it is. */
export const services = (state: ServiceRecord['state']): TestEvent => ({
  topic: 'system/u1/service',
  payload: { state, hardware: 'simulated', reason: null, timestamp: STARTED_AT },
})

import type { JobRecord } from '../../events/system/jobs.js'

/** A running stirring job, with fields a test may override. */
export const jobRecord = (values: Partial<JobRecord> = {}): JobRecord => ({
  job_id: 1,
  unit: 'u1',
  experiment: 'exp',
  job_name: 'stirring',
  job_source: 'user',
  started_at: '2026-01-02T03:04:05.000Z',
  ended_at: null,
  is_running: true,
  leader: '',
  pid: 12,
  is_long_running_job: false,
  state: 'ready',
  reason: null,
  ...values,
})

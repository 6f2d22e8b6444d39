import { Type } from '@sinclair/typebox'
import type { JobRecord } from '../../../events/system/jobs.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { keptText } from '../../framework/kept-text.js'

const JobRow = Type.Object({
  job_id: Type.Integer(),
  unit: Type.String(),
  experiment: Type.String(),
  job_name: Type.String(),
  job_source: Type.String(),
  started_at: Type.String(),
  ended_at: Type.Union([Type.String(), Type.Null()]),
})

const Flag = Type.Integer({ minimum: 0, maximum: 1 })
const RunningJob = Type.Composite([
  JobRow,
  Type.Object({ is_running: Flag, leader: Type.String(), pid: Type.Integer(), is_long_running_job: Flag }),
])

const jobRow = ({ job_id, unit, experiment, job_name, job_source, started_at, ended_at }: JobRecord) => ({
  job_id,
  unit,
  experiment,
  job_name,
  job_source,
  started_at,
  ended_at,
})

/** The whole row; flags are numbers, as in the reference's table. */
const runningJob = (job: JobRecord) => ({
  ...jobRow(job),
  is_running: Number(job.is_running),
  leader: job.leader,
  pid: job.pid,
  is_long_running_job: Number(job.is_long_running_job),
})

const jobRows = keptText(jobRow)

const getJobs = endpoint({
  method: 'get',
  path: '/unit_api/jobs',
  summary: 'Every job, running or ended, the latest first.',
  response: Type.Array(JobRow),
  errors: [],
  handle: async (_input, { readModels }) => jobRows(await readModels.allJobs()),
})

const getRunningJobs = endpoint({
  method: 'get',
  path: '/unit_api/jobs/running',
  summary: 'The jobs that run now.',
  response: Type.Array(RunningJob),
  errors: [],
  handle: async (_input, { readModels }) => (await readModels.jobs({ running: true })).map(runningJob),
})

const getRunningJob = endpoint({
  method: 'get',
  path: '/unit_api/jobs/running/:job_name',
  summary: 'The running jobs of that name; an empty list when it does not run.',
  params: Type.Object({ job_name: Type.String() }),
  response: Type.Array(RunningJob),
  errors: [],
  handle: async ({ params }, { readModels }) =>
    (await readModels.jobs({ running: true, jobName: params.job_name })).map(runningJob),
})

const getRunningJobsOfExperiment = endpoint({
  method: 'get',
  path: '/unit_api/jobs/running/experiments/:experiment',
  summary: 'The running jobs of that experiment.',
  params: Type.Object({ experiment: Type.String() }),
  response: Type.Array(RunningJob),
  errors: [],
  handle: async ({ params }, { readModels }) =>
    (await readModels.jobs({ running: true, experiment: params.experiment })).map(runningJob),
})

const getLongRunningJobs = endpoint({
  method: 'get',
  path: '/unit_api/long_running_jobs/running',
  summary: 'The running jobs that belong to the unit itself and that stopping all jobs leaves alone.',
  response: Type.Array(RunningJob),
  errors: [],
  handle: async (_input, { readModels }) =>
    (await readModels.jobs({ running: true, longRunning: true })).map(runningJob),
})

export const jobLists: readonly Endpoint[] = [
  getJobs,
  getRunningJobs,
  getRunningJob,
  getRunningJobsOfExperiment,
  getLongRunningJobs,
]

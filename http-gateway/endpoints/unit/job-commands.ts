import { Type } from '@sinclair/typebox'
import { NoJobFilter, NoRoom, UnknownModel } from '../../../events/bioreactor/errors.js'
import { defineError, InvalidInput } from '../../../events/core/errors.js'
import { runJobCommand, stopJobsCommand } from '../../../events/system/commands.js'
import { invalidBody } from '../../conventions/unit/strict-body.js'
import type { Endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'
import { taskEndpoint } from './task-endpoint.js'

const StartTooFrequent = withStatus(
  429,
  defineError('job.start_too_frequent', 'state', 'A job of this name was started less than a second ago.'),
)

const Texts = Type.Array(Type.String(), { default: [] })

const RunJobBody = Type.Object({
  options: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
  env: Type.Record(Type.String(), Type.String(), { default: {} }),
  args: Texts,
  config_overrides: Type.Array(Type.Array(Type.String()), { default: [] }),
})

/** Variables a job may be started with; others are dropped. Source: Pioreactor 26.7. */
const JOB_VARIABLES = new Set(
  (
    'EXPERIMENT JOB_SOURCE TESTING HOSTNAME HARDWARE ACTIVE FIRMWARE DEBUG MODEL_NAME MODEL_VERSION ' +
    'SKIP_PLUGINS DOT_PIOREACTOR GLOBAL_CONFIG LOCAL_CONFIG HAT_PRESENT'
  ).split(' '),
)

const jobVariables = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(([name, value]) => JOB_VARIABLES.has(name) && value !== '' && value !== 'None'),
  )

const runJob = taskEndpoint({
  path: '/unit_api/jobs/run/job_name/:job_name',
  summary: 'Starts a job. The task succeeds when the job still runs, or ended well, after its first second.',
  params: Type.Object({ job_name: Type.String() }),
  body: RunJobBody,
  example: { options: { target_rpm: '200' }, env: { JOB_SOURCE: 'api' }, args: [], config_overrides: [] },
  task: runJobCommand,
  errors: [StartTooFrequent],
  // What a Pioreactor's unit refuses of a dose before it is a task.
  refusals: [NoRoom, UnknownModel, InvalidInput],
  admit({ params }, { jobStarts }) {
    if (jobStarts.admit(params.job_name)) return
    throw new StartTooFrequent(`${params.job_name} was started less than a second ago; try again later.`)
  },
  order: ({ params: { job_name }, body }) => ({ job_name, ...body, env: jobVariables(body.env) }),
})

const nullable = <S extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: S) =>
  Type.Union([schema, Type.Null()], { default: null })

const StopJobsBody = Type.Object(
  {
    job_name: nullable(Type.String()),
    experiment: nullable(Type.String()),
    job_source: nullable(Type.String()),
    job_id: Type.Union([Type.Integer(), Type.String(), Type.Null()], { default: null }),
  },
  { additionalProperties: false },
)

const stopJobs = taskEndpoint({
  path: '/unit_api/jobs/stop',
  summary: 'Stops the running jobs that match every given filter.',
  body: StopJobsBody,
  example: { job_name: 'stirring' },
  task: stopJobsCommand,
  errors: [NoJobFilter],
  order({ body: { job_name, experiment, job_source, job_id } }) {
    if (typeof job_id === 'string' && !/^\d*$/.test(job_id)) {
      throw invalidBody(StopJobsBody, 'Expected `int | null`, got `str` - at `$.job_id`')
    }
    const filters = {
      ...(job_name ? { job_name } : {}),
      ...(experiment ? { experiment } : {}),
      ...(job_source ? { job_source } : {}),
      ...(Number(job_id) === 0 ? {} : { job_id: Number(job_id) }),
    }
    if (Object.keys(filters).length === 0) {
      throw new NoJobFilter('No filter given: name job_name, experiment, job_source or job_id.')
    }
    return filters
  },
})

const stopAllJobs = taskEndpoint({
  path: '/unit_api/jobs/stop/all',
  summary: 'Stops every running job, except the long-running ones that belong to the unit itself.',
  task: stopJobsCommand,
  order: () => ({ all: true }),
})

export const jobCommands: readonly Endpoint[] = [runJob, stopJobs, stopAllJobs]

import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { NoJobFilter } from '../../../events/bioreactor/errors.js'
import type { CommandDefinition } from '../../../events/core/define-command.js'
import { defineError, LabError } from '../../../events/core/errors.js'
import { runJobCommand, stopJobsCommand } from '../../../events/system/commands.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order, refuseOversized } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { InvalidBody, invalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { RequestTooLarge, statusOf, withStatus } from '../../framework/errors.js'
import { Accepted, accepted } from './accepted.js'

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

/** Gives the order an id under which its task will be found, and answers once a service has taken it, or once it is recorded as pending
 * while the services are not there. A refusal is the task's failure, which clients poll for; only an order that nobody took is an error here. */
async function startTask<Order>(context: GatewayContext, command: CommandDefinition<Order>, details: NoInfer<Order>) {
  const taskId = randomUUID()
  refuseOversized(details)
  if (!context.services.isLive()) {
    await context.pendingTasks.accept(taskId, command, details)
    return accepted(context, taskId)
  }
  try {
    await order(context, command, details, { id: taskId })
  } catch (error) {
    if (!(error instanceof LabError) || statusOf(error) >= 500) throw error
  }
  return accepted(context, taskId)
}

const runJob = endpoint({
  method: ['post', 'patch'],
  path: '/unit_api/jobs/run/job_name/:job_name',
  summary: 'Starts a job. The task succeeds when the job still runs, or ended well, after its first second.',
  params: Type.Object({ job_name: Type.String() }),
  body: RunJobBody,
  example: { options: { target_rpm: '200' }, env: { JOB_SOURCE: 'api' }, args: [], config_overrides: [] },
  response: Accepted,
  status: 202,
  needs: 'nothing',
  errors: [StartTooFrequent, InvalidBody, RequestTooLarge, NoAnswer, LogUnavailable],
  admit({ params }, { jobStarts }) {
    if (jobStarts.admit(params.job_name)) return
    throw new StartTooFrequent(`${params.job_name} was started less than a second ago; try again later.`)
  },
  handle: ({ params: { job_name }, body }, context) =>
    startTask(context, runJobCommand, { job_name, ...body, env: jobVariables(body.env) }),
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

const stopJobs = endpoint({
  method: ['post', 'patch'],
  path: '/unit_api/jobs/stop',
  summary: 'Stops the running jobs that match every given filter.',
  body: StopJobsBody,
  example: { job_name: 'stirring' },
  response: Accepted,
  status: 202,
  needs: 'nothing',
  errors: [NoJobFilter, InvalidBody, NoAnswer, LogUnavailable],
  handle({ body: { job_name, experiment, job_source, job_id } }, context) {
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
    return startTask(context, stopJobsCommand, filters)
  },
})

const stopAllJobs = endpoint({
  method: ['post', 'patch'],
  path: '/unit_api/jobs/stop/all',
  summary: 'Stops every running job, except the long-running ones that belong to the unit itself.',
  response: Accepted,
  status: 202,
  needs: 'nothing',
  errors: [NoAnswer, LogUnavailable],
  handle: (_input, context) => startTask(context, stopJobsCommand, { all: true }),
})

export const jobCommands: readonly Endpoint[] = [runJob, stopJobs, stopAllJobs]

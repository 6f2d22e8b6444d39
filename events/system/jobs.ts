import { type Static, Type } from '@sinclair/typebox'
import { JobCapability } from '../core/capability.js'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { JOB_STATES } from '../job-state.js'

/** Everything the jobs table needs. */
export const JobRecord = Type.Object({
  job_id: Type.Integer({ minimum: 1 }),
  unit: Type.String(),
  experiment: Type.String(),
  job_name: Type.String(),
  job_source: Type.String(),
  started_at: Timestamp,
  ended_at: Type.Union([Timestamp, Type.Null()]),
  is_running: Type.Boolean(),
  leader: Type.String(),
  pid: Type.Integer(),
  is_long_running_job: Type.Boolean(),
  state: Type.Union(JOB_STATES.map((state) => Type.Literal(state))),
  /** How it was started, so that it can be started again after a crash. */
  start: Type.Optional(
    Type.Object({
      options: Type.Record(Type.String(), Type.Unknown()),
      args: Type.Optional(Type.Array(Type.String())),
      config_overrides: Type.Array(Type.Array(Type.String())),
    }),
  ),
  /** Why the job ended, when it did not end by request. */
  reason: Type.Union([Type.String(), Type.Null()]),
  /** Set when its process died under it, until the services have decided whether it starts again. */
  interrupted: Type.Optional(Type.Boolean()),
})
export type JobRecord = Static<typeof JobRecord>

export const jobEvent = defineEvent({
  pattern: 'system/<unit>/jobs/<job_id>',
  retained: true,
  payload: JobRecord,
  doc: 'A job, republished whole at every change.',
})

export const jobCapabilityEvent = defineEvent({
  pattern: 'system/<unit>/capabilities/jobs/<job_name>',
  retained: true,
  payload: JobCapability,
  doc: 'Options and settings of a job on offer.',
})

export const automationCapabilityEvent = defineEvent({
  pattern: 'system/<unit>/capabilities/jobs/<job_name>/<automation_name>',
  retained: true,
  payload: JobCapability,
  doc: 'Options and settings of an automation on offer.',
})

import { Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineTask } from '../core/define-task.js'

export const runJobCommand = defineTask({
  name: 'run_job',
  payload: Type.Object({
    job_name: Type.String(),
    args: Type.Optional(Type.Array(Type.String())),
    options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    env: Type.Optional(Type.Record(Type.String(), Type.String())),
    config_overrides: Type.Optional(Type.Array(Type.Array(Type.String()))),
  }),
  result: Type.Object({ ok: Type.Literal(true) }),
  doc: 'Starts a job; the task of the same id tells whether it runs.',
})

export const stopJobsCommand = defineTask({
  name: 'stop_jobs',
  payload: Type.Object({
    all: Type.Optional(Type.Boolean()),
    job_name: Type.Optional(Type.String()),
    experiment: Type.Optional(Type.String()),
    job_source: Type.Optional(Type.String()),
    job_id: Type.Optional(Type.Integer()),
  }),
  result: Type.Boolean(),
  doc: 'Stops the running jobs that match every filter given, at least one; `all` spares the long-running ones. A task follows it.',
})

export const updateJobCommand = defineCommand({
  name: 'update_job',
  payload: Type.Object({ job_name: Type.String(), settings: Type.Record(Type.String(), Type.Unknown()) }),
  result: Type.Record(Type.String(), Type.Unknown()),
  doc: 'Changes settings of a running job together: all are valid or none is applied. The result has the values now in force.',
})

/** Commands of the jobs of a unit. */
export const jobCommands: readonly CommandDefinition[] = [runJobCommand, stopJobsCommand, updateJobCommand]

import { BadTransition, JobNotReady, JobNotRunning, SettingUnavailable } from '../../events/bioreactor/errors.js'
import { defineError, isInputError, type LabError, toErrorRecord } from '../../events/core/errors.js'
import type { JobState } from '../../events/job-state.js'
import type { Logger } from '../../events/ports.js'

export const StartFailed = defineError(
  'job.start_failed',
  'state',
  'The job ended within its first second; the message says why, `details.code` with which error.',
)

const JobStopped = defineError('job.stopped', 'state', 'The job was stopped while it started.')

/** A job that is on offer because clients look for it. */
export const JobRefused = defineError(
  'job.not_built',
  'state',
  'The job is listed, but this version does not do it yet.',
)

/** The job does not take changes in its present state. */
export const jobNotReady = (job: string, state: JobState): LabError =>
  new JobNotReady(`${job} cannot be changed now; its state is ${state}.`)

/** No job of this name runs, or not for the experiment that is meant. */
export const jobNotRunning = (job: string, experiment?: string): LabError => {
  const where = experiment === undefined ? '' : ` for experiment '${experiment}'`
  return new JobNotRunning(`${job} is not running${where}.`, {
    details: { field: 'job_name', value: job },
  })
}

/** The setting is declared but not published now. */
export const settingUnavailable = (job: string, setting: string): LabError =>
  new SettingUnavailable(`${job} does not offer ${setting} in its present mode.`, {
    details: { field: setting },
  })

/** The start was broken off by a stop. */
export const stoppedAtStart = (job: string): LabError => new JobStopped(`${job} was stopped while it started.`)

/** No command leads from one state to the other. */
export const badTransition = (job: string, from: JobState, to: JobState): LabError =>
  new BadTransition(`${job} cannot go from ${from} to ${to}.`, {
    details: { field: '$state', value: to },
  })

/** Why a job ended, in words for its record; what is our own defect stays in the log. */
export function reasonOf(error: unknown, logger: Logger): string {
  const { message, family } = toErrorRecord(error)
  if (family === 'defect') logger.error({ err: error }, 'job failed')
  return message
}

/** A failed start in the words that clients of the unit API know; exit code 2 means misuse, as with any command line. */
export function startFailed(error: unknown): LabError {
  const exit = isInputError(error) ? 2 : 1
  const { message, code, details } = toErrorRecord(error)
  return new StartFailed(`Command exited during startup grace window. Exit code ${exit}. ${message}`, {
    cause: error,
    details: { ...details, code },
  })
}

import { LabError } from '../../events/errors.js'
import type { JobState } from '../../events/job-state.js'

/** The job does not take changes in its present state. */
export const jobNotReady = (job: string, state: JobState): LabError =>
  new LabError('job.not_ready', 'state', `${job} cannot be changed now; its state is ${state}.`)

/** The setting is declared but not published now. */
export const settingUnavailable = (job: string, setting: string): LabError =>
  new LabError('setting.absent', 'state', `${job} does not offer ${setting} in its present mode.`, {
    details: { field: setting },
  })

/** The start was broken off by a stop. */
export const stoppedAtStart = (job: string): LabError =>
  new LabError('job.stopped', 'state', `${job} was stopped while it started.`)

/** No command leads from one state to the other. */
export const badTransition = (job: string, from: JobState, to: JobState): LabError =>
  new LabError('job.transition', 'state', `${job} cannot go from ${from} to ${to}.`, {
    details: { field: '$state', value: to },
  })

import { publishEvent } from '../../bus/publish-event.js'
import type { OrderOf } from '../../events/core/define-command.js'
import type { runJobCommand } from '../../events/system/commands.js'
import { jobEvent } from '../../events/system/jobs.js'
import type { ServiceContext } from '../runtime/service.js'
import type { Assignment } from './assignment.js'
import type { OfferedJobs } from './offered-jobs.js'
import { type PastJobs, undecided } from './past-jobs.js'
import { optionsAgain } from './start-order.js'

export interface Interrupted {
  readonly context: Pick<ServiceContext, 'unit' | 'bus' | 'logger'>
  readonly offered: OfferedJobs
  readonly past: PastJobs
  /** Names of the jobs that the operator wants to go on. */
  readonly resumeJobs: readonly string[]
  readonly assignment: Assignment
  /** Begins a job. */
  readonly prepare: (order: OrderOf<typeof runJobCommand>) => Promise<unknown>
}

/** Starts interrupted jobs again, where the operator asked for it. It is decided once: who names a job later does not start it then. */
export async function resumeInterrupted(interrupted: Interrupted): Promise<void> {
  const { offered, past, resumeJobs, assignment, prepare } = interrupted
  const { unit, bus, logger } = interrupted.context
  const onOffer = offered.all().map(({ definition }) => definition.name)
  const begunByJobs = new Set([...onOffer, ...past.jobs.map(({ job_name }) => job_name)])
  for (const { interrupted: _, ...record } of undecided(past)) {
    const { job_id, job_name, job_source, experiment, start } = record
    await publishEvent(bus, jobEvent, { unit, job_id }, record)
    // What another job had begun is up to that job, on offer or not.
    const isOnItsOwn = !begunByJobs.has(job_source)
    if (!resumeJobs.includes(job_name) || start === undefined || !isOnItsOwn) continue
    if (assignment.hasLeft(record)) {
      logger.warn(
        { job: job_name, experiment },
        'interrupted job does not start again: the unit has left its experiment',
      )
      continue
    }
    const env = { EXPERIMENT: experiment, JOB_SOURCE: job_source }
    try {
      await prepare({ job_name, env, ...start, options: optionsAgain(offered, job_name, start.options) })
      logger.warn({ job: job_name, experiment }, 'interrupted job starts again')
    } catch (error) {
      logger.error({ job: job_name, err: error }, 'interrupted job does not start again')
    }
  }
}

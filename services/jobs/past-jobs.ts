import { type JobRecord, jobEvent } from '../../events/system/jobs.js'
import { type RetainedText, recordsOf } from '../aftermath/retained.js'

/** What the retained topics tell about jobs of earlier lives of this unit. */
export interface PastJobs {
  /** Oldest first. */
  readonly jobs: readonly JobRecord[]
}

export function pastJobs(past: readonly RetainedText[], unit: string): PastJobs {
  const jobs = recordsOf(past, jobEvent, { unit })
  return { jobs: [...jobs].sort((one, other) => one.job_id - other.job_id) }
}

/** Interrupted jobs that nobody has decided about, the latest of each name: an older one was followed by another start. */
export const undecided = ({ jobs }: PastJobs): readonly JobRecord[] =>
  jobs.filter(
    ({ interrupted, job_name, job_id }) =>
      interrupted === true && !jobs.some((later) => later.job_name === job_name && later.job_id > job_id),
  )

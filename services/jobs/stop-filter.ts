import { NoJobFilter } from '../../events/bioreactor/errors.js'
import type { OrderOf } from '../../events/core/define-command.js'
import { type JobDefinition, STOP_ORDERS } from '../../events/core/define-job.js'
import type { stopJobsCommand } from '../../events/system/commands.js'
import type { RunningJob } from './running-job.js'

/** Filters are ANDed; `all` spares supervised activities. @throws NoJobFilter without any. */
export function stopFilter(filters: OrderOf<typeof stopJobsCommand>): (job: RunningJob) => boolean {
  const { all, job_name, experiment, job_source, job_id } = filters
  if (all === true) return (job) => job.definition.longRunning !== true
  const given = [job_name, experiment, job_source, job_id].some((filter) => filter !== undefined)
  if (!given) throw new NoJobFilter('Name at least one of job_name, experiment, job_source, job_id.')
  return ({ definition, order }) =>
    definition.resident !== 'always' &&
    (job_name === undefined || definition.name === job_name) &&
    (experiment === undefined || order.experiment === experiment) &&
    (job_source === undefined || order.source === job_source) &&
    (job_id === undefined || order.jobId === job_id)
}

/** In the order in which they are told to stop: outputs first. */
export const inStopOrder = (jobs: readonly RunningJob[]): readonly RunningJob[] =>
  [...jobs].sort((one, other) => stopRank(one.definition) - stopRank(other.definition))

const stopRank = ({ stopOrder = 'others' }: JobDefinition): number => STOP_ORDERS.indexOf(stopOrder)

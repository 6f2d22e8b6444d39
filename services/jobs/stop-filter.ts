import { NoJobFilter } from '../../events/bioreactor/errors.js'
import type { OrderOf } from '../../events/core/define-command.js'
import { type JobDefinition, STOP_ORDERS } from '../../events/core/define-job.js'
import type { stopJobsCommand } from '../../events/system/commands.js'
import type { RunningJob } from './running-job.js'

/** A job that runs, or is about to. */
export interface Stoppable {
  readonly definition: Pick<JobDefinition, 'name' | 'longRunning' | 'resident'>
  readonly order: { readonly experiment: string; readonly source: string; readonly jobId: number }
}
export type StopFilter = (job: Stoppable) => boolean

/** The stops that come while orders are prepared: what an order is about to begin is not among the jobs that run. */
export class StopsMeanwhile {
  readonly #watched = new Set<StopFilter[]>()

  /** @returns the stops from now on, until it is released. */
  watch(): { readonly stops: readonly StopFilter[]; release(): void } {
    const stops: StopFilter[] = []
    this.#watched.add(stops)
    return { stops, release: () => void this.#watched.delete(stops) }
  }

  came(stop: StopFilter): void {
    for (const stops of this.#watched) stops.push(stop)
  }
}

/** Filters are ANDed; `all` spares supervised activities. @throws NoJobFilter without any. */
export function stopFilter(filters: OrderOf<typeof stopJobsCommand>): StopFilter {
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

import { type JobRecord, jobEvent } from '../../events/system/jobs.js'
import { jobTopic } from '../../events/topic.js'
import { RetainedHistory } from '../runtime/retained-history.js'
import type { ServiceContext } from '../runtime/service.js'

type Known = Pick<JobRecord, 'job_id' | 'job_name' | 'experiment'>

/** What stays retained of jobs that are over: record and `$state` of the latest ones. An older `$state` goes with its record, unless a later job of that name
 * and experiment has said another one since: retained topics would grow with every experiment there ever was. */
export class FinishedJobs {
  readonly #unit: string
  readonly #stateOf = new Map<string, string>()
  readonly #history: RetainedHistory

  /** @param past jobs of earlier lives, oldest first. */
  constructor(context: Pick<ServiceContext, 'unit' | 'bus' | 'logger'>, past: readonly Known[]) {
    this.#unit = context.unit
    for (const job of past) this.began(job)
    const ids = past.map(({ job_id }) => String(job_id))
    this.#history = new RetainedHistory(context, (id) => this.#forget(id), ids)
  }

  /** A job whose `$state` is published from now on. */
  began({ job_id, job_name, experiment }: Known): void {
    this.#stateOf.set(String(job_id), jobTopic(this.#unit, experiment, job_name, '$state'))
  }

  ended(jobId: number): void {
    this.#history.add(String(jobId))
  }

  /** @returns the topics that nobody needs any more */
  #forget(id: string): readonly string[] {
    const record = jobEvent.topic({ unit: this.#unit, job_id: id })
    const state = this.#stateOf.get(id)
    this.#stateOf.delete(id)
    const isUsed = state === undefined || [...this.#stateOf.values()].includes(state)
    return isUsed ? [record] : [record, state]
  }
}

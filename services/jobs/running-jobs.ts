import type { JobPeer, JobPeers } from './job.js'
import type { RunningJob } from './running-job.js'

/** The jobs that run now. An action may run several times at once, any other job once. */
export class RunningJobs implements JobPeers {
  readonly #jobs = new Set<RunningJob>()
  readonly #watchers = new Map<string, Set<() => void>>()

  add(job: RunningJob): void {
    this.#jobs.add(job)
    void job.ended.then(() => {
      this.#jobs.delete(job)
      // Actions of one name share a topic: the end of one is not the end of the others.
      const { definition, order } = job
      this.named(definition.name)
        .findLast((other) => other.order.experiment === order.experiment)
        ?.reassertState()
    })
  }

  /** In the order they were started. */
  all(): readonly RunningJob[] {
    return [...this.#jobs]
  }

  named(name: string): readonly RunningJob[] {
    return this.all().filter(({ definition }) => definition.name === name)
  }

  find(name: string): JobPeer | undefined {
    return this.named(name).at(-1)
  }

  watch(name: string, listener: () => void): () => void {
    const listeners = this.#watchers.get(name) ?? new Set()
    this.#watchers.set(name, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** Tells those who watch jobs of this name. */
  changed(name: string): void {
    for (const listener of this.#watchers.get(name) ?? []) listener()
  }
}

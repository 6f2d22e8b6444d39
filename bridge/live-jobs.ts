import type { PagingEventLogReader } from '../event-log/reader.js'
import { payloadText } from '../events/event.js'
import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import { isJobState } from '../events/job-state.js'

const PAGE_EVENTS = 500

/** The jobs of a unit that live, as its log says: topic of the state, and the state. */
export class LiveJobs {
  readonly #reader: PagingEventLogReader
  readonly #isState: TopicTest
  readonly #states = new Map<string, string>()
  #looked: number

  constructor(reader: PagingEventLogReader, unit: string) {
    const filter = `pioreactor/${unit}/+/+/$state`
    this.#reader = reader
    this.#isState = compileFilters([filter])
    // What comes while the retained values are read is read again.
    this.#looked = reader.lastPosition()
    for (const event of reader.retained(filter)) this.#take(event)
  }

  states(): ReadonlyMap<string, string> {
    return this.#states
  }

  /** Reads on in the log. @returns whether there may be more */
  update(): boolean {
    const page = this.#reader.page({ after: this.#looked, limit: PAGE_EVENTS, match: this.#isState })
    for (const event of page.events) this.#take(event)
    this.#looked = page.position
    return page.position < this.#reader.lastPosition()
  }

  #take({ topic, payload }: { readonly topic: string; readonly payload: Uint8Array }): void {
    const state = payloadText({ payload }) ?? ''
    const isOver = !isJobState(state) || state === 'disconnected' || state === 'lost'
    if (isOver) this.#states.delete(topic)
    else this.#states.set(topic, state)
  }
}

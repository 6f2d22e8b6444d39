import type { Qos } from '../events/event.js'
import { FilterSet } from './filter-set.js'
import { lowerQos, type Message } from './message.js'
import type { Retained, RetainedValues } from './retained-values.js'

export interface Subscription {
  readonly filter: string
  readonly qos: Qos
}

export interface Replayed {
  readonly message: Message
  readonly qos: Qos
}

/** Topics looked at in one step: a fraction of a millisecond. */
const STEP_TOPICS = 500
/** A few of these fill what may wait for a connection. */
const STEP_BYTES = 64 * 1024

/** Filters that wait their turn, packet by packet; beyond that one walk answers several packets. */
const WAITING_FILTERS = 1000

interface Walk {
  readonly filters: FilterSet
  readonly names: readonly string[]
  readonly topics: Iterator<Retained | undefined, undefined>
  /** Values after this position came live. */
  readonly through: number
}

/** The retained values one subscriber asked for and has not got. They are looked up while they are sent, so nothing is copied, and a
 * topic has the value of that moment: never an older one than the subscriber got live. What is asked for meanwhile comes next. */
export class RetainedReplay {
  readonly #values: RetainedValues
  readonly #delivered: () => number
  /** What each packet asked for, by filter. */
  #next: Map<string, Qos>[] = []
  #walk: Walk | undefined

  constructor(values: RetainedValues, delivered: () => number) {
    this.#values = values
    this.#delivered = delivered
  }

  ask(subscriptions: readonly Subscription[]): void {
    if (subscriptions.length === 0) return
    let waiting = subscriptions.length
    for (const { size } of this.#next) waiting += size
    const last = this.#next.at(-1)
    const asked = waiting > WAITING_FILTERS && last !== undefined ? last : new Map<string, Qos>()
    for (const { filter, qos } of subscriptions) asked.set(filter, qos)
    if (asked !== last) this.#next.push(asked)
  }

  /** The filter was unsubscribed. */
  cancel(filter: string): void {
    for (const asked of this.#next) asked.delete(filter)
    this.#walk?.filters.remove(filter)
  }

  get pending(): boolean {
    return this.#walk !== undefined || this.#next.length > 0
  }

  /** The next values: at most so many, fewer when they are large or rare.
   * @param finished called with the filters whose values have all been taken */
  take(most: number, finished: (filters: readonly string[]) => void = () => undefined): Replayed[] {
    const taken: Replayed[] = []
    let bytes = 0
    const walk = this.#walk ?? this.#begin()
    this.#walk = walk
    for (let looked = 0; looked < STEP_TOPICS && taken.length < most && bytes < STEP_BYTES; looked++) {
      const { done, value } = walk.topics.next()
      if (done === true) {
        this.#walk = undefined
        finished(walk.names.filter((name) => !this.#next.some((asked) => asked.has(name))))
        break
      }
      if (value === undefined || value.message.position > walk.through) continue
      const { message, granted } = value
      bytes += message.topic.length + message.payload.length
      taken.push({ message, qos: lowerQos(message.qos, granted) })
    }
    return taken
  }

  #begin(): Walk {
    const filters = new FilterSet()
    const asked = this.#next.shift() ?? new Map<string, Qos>()
    for (const [filter, qos] of asked) filters.add(filter, qos)
    return { filters, names: [...asked.keys()], topics: this.#values.walk(filters), through: this.#delivered() }
  }
}

import type { Qos } from '../events/event.js'
import { FilterTree } from '../events/filter-tree.js'

export interface Match<S> {
  readonly subscriber: S
  /** The highest granted among the subscriber's filters that match. */
  readonly qos: Qos
}

/** Topics whose matches are remembered; a unit has hundreds, a client that invents topics must not fill the memory. */
const REMEMBERED_TOPICS = 4096

/** Which subscribers a topic goes to: one entry per subscriber however many of its filters match. */
export class SubscriptionTree<S> {
  readonly #granted = new FilterTree<Map<S, Qos>>()
  readonly #remembered = new Map<string, readonly Match<S>[]>()

  add(filter: string, subscriber: S, qos: Qos): void {
    this.#forgetMatches()
    const granted = this.#granted.get(filter)
    if (granted === undefined) this.#granted.set(filter, new Map([[subscriber, qos]]))
    else granted.set(subscriber, qos)
  }

  remove(filter: string, subscriber: S): void {
    this.#forgetMatches()
    const granted = this.#granted.get(filter)
    granted?.delete(subscriber)
    if (granted?.size === 0) this.#granted.delete(filter)
  }

  /** Clearing an empty map costs as much as filling it. */
  #forgetMatches(): void {
    if (this.#remembered.size > 0) this.#remembered.clear()
  }

  match(topic: string): readonly Match<S>[] {
    let matches = this.#remembered.get(topic)
    if (matches === undefined) {
      const found = new Map<S, Qos>()
      for (const granted of this.#granted.match(topic)) {
        for (const [subscriber, qos] of granted) {
          if (qos >= (found.get(subscriber) ?? 0)) found.set(subscriber, qos)
        }
      }
      matches = [...found].map(([subscriber, qos]) => ({ subscriber, qos }))
      if (this.#remembered.size >= REMEMBERED_TOPICS) this.#remembered.clear()
      this.#remembered.set(topic, matches)
    }
    return matches
  }
}

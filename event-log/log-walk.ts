import { HashChain } from './hash-chain.js'
import { hashed, type RecordedRow } from './recorded-rows.js'

/** What the events of a log say when one goes through them from the first to the last, and what of it contradicts the rest. */
export class LogWalk {
  readonly links: ReadonlyMap<number, Uint8Array>
  readonly lastLink: number
  readonly problems: string[] = []
  readonly #chain = new HashChain()
  /** Where each topic's retained value is. */
  readonly retained = new Map<string, number>()
  /** The same at the last link, which is what the table says. */
  retainedAtLink: ReadonlyMap<string, number> = new Map()
  events = 0
  last = 0
  #previousLink = 0

  /** @param links by position, those that the log holds */
  constructor(links: ReadonlyMap<number, Uint8Array>) {
    this.links = links
    this.lastLink = [...links.keys()].at(-1) ?? 0
  }

  /** Takes up the next rows; a link's position is the last of its rows. */
  take(rows: readonly RecordedRow[]): void {
    for (const [position, , topic, payload, , retain] of rows) {
      if (position !== this.last + 1) this.#gap(position)
      this.last = position
      this.events++
      if (retain === 0) continue
      if (payload.length === 0) this.retained.delete(topic)
      else this.retained.set(topic, position)
    }
    this.#chain.add(hashed(rows))
    const link = this.links.get(this.last)
    if (link !== undefined) this.#compare(link)
  }

  #gap(position: number): void {
    this.problems.push(`Position ${this.last} is followed by ${position}: events are missing.`)
  }

  #compare(link: Uint8Array): void {
    const { last } = this
    if (!Buffer.from(link).equals(this.#chain.link(last))) {
      this.problems.push(`Events from position ${this.#previousLink + 1} to ${last} are not those that were recorded.`)
      this.#chain.goOnFrom(link)
    }
    this.#previousLink = last
    if (last === this.lastLink) this.retainedAtLink = new Map(this.retained)
  }
}

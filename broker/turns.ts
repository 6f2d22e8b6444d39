/** Work of one client that is done in steps of a millisecond or so. */
export interface SteppedWork {
  /** Does one step. @returns whether another can follow at once */
  step(): boolean
  /** A step threw: this client's work ends, that of others goes on. */
  fail(error: unknown): void
}

/** One turn of the event loop; acknowledgements of others wait so long, and for the last step. */
const TURN_MS = 2

/** The long work of all clients, a step of each in turn. Input and output have their share of the event loop in between, so that a
 * hundred clients that ask for much delay no other. */
export class Turns {
  /** In the order they wait; each once. */
  readonly #waiting = new Set<SteppedWork>()
  #scheduled = false

  add(work: SteppedWork): void {
    this.#waiting.add(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#turn()
    })
  }

  #turn(): void {
    const end = performance.now() + TURN_MS
    for (const work of this.#waiting) {
      this.#waiting.delete(work)
      if (isUnfinished(work)) this.#waiting.add(work)
      if (performance.now() >= end) break
    }
    if (this.#waiting.size > 0) this.#schedule()
  }
}

function isUnfinished(work: SteppedWork): boolean {
  try {
    return work.step()
  } catch (error) {
    work.fail(error)
    return false
  }
}

import type { Clock } from '../../events/ports.js'

/** Between two wake-ups, ms: 28 control periods, while the queues hold thousands. Requests do not wait for it: a device catches up
 * before it answers. */
const WAKE_MS = 10

/** Lets the time of many devices pass with one timer. */
export class Pacer {
  readonly clock: Clock
  readonly #members = new Set<(nowMs: number) => void>()
  #running: Promise<void> | null = null

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Calls `wake` every few milliseconds of the clock until the returned function is called. */
  join(wake: (nowMs: number) => void): () => void {
    this.#members.add(wake)
    this.#running ??= this.#run()
    return () => this.#members.delete(wake)
  }

  async #run(): Promise<void> {
    let due = this.clock.monotonicMs()
    while (this.#members.size > 0) {
      due = Math.max(due + WAKE_MS, this.clock.monotonicMs())
      await this.clock.sleepUntil(due)
      // When the machine is too slow the time due has passed already, and requests would never get their turn.
      if (this.clock.monotonicMs() > due) await new Promise(setImmediate)
      for (const wake of this.#members) wake(this.clock.monotonicMs())
    }
    this.#running = null
  }
}

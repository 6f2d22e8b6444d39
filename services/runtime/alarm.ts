import type { Clock } from '../../events/ports.js'

/** Nobody sees it; without a reason each abort would make an error with its stack. */
const CANCELLED = 'cancelled'

/** Calls back at one time of a clock. Setting it again moves it. */
export class Alarm {
  readonly #clock: Clock
  #wait = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param monotonicMs when; a time that has passed counts as now. @param ring must not throw */
  set(monotonicMs: number, ring: () => void): void {
    this.cancel()
    const wait = new AbortController()
    this.#wait = wait
    void this.#clock.sleepUntil(monotonicMs, wait.signal).then(() => {
      if (!wait.signal.aborted) ring()
    })
  }

  cancel(): void {
    this.#wait.abort(CANCELLED)
  }
}

import type { Clock } from '../../events/ports.js'

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #elapsedMs = 0
  #startMs: number
  readonly #followers = new Set<() => void>()
  readonly #sleepers = new Set<{ readonly due: number; readonly wake: () => void }>()

  constructor(start = '2026-01-02T03:04:05.000Z') {
    this.#startMs = Date.parse(start)
  }

  now(): Date {
    return new Date(this.#startMs + this.#elapsedMs)
  }

  /** What happens by itself as time goes by: told after each step of time, before anybody wakes. */
  onPassing(follow: () => void): void {
    this.#followers.add(follow)
  }

  /** The wall clock is set; what is monotonic goes on. */
  jump(ms: number): void {
    this.#startMs += ms
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  async sleepUntil(due: number, stop?: AbortSignal): Promise<void> {
    if (due <= this.#elapsedMs || stop?.aborted === true) return
    await new Promise<void>((resolve) => {
      const leave = (): void => {
        this.#sleepers.delete(sleeper)
        stop?.removeEventListener('abort', leave)
        resolve()
      }
      const sleeper = { due, wake: leave }
      this.#sleepers.add(sleeper)
      stop?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Moves time on, waking each sleeper exactly at its due time and letting it run before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms
    await settle()
    for (;;) {
      let next: { readonly due: number; readonly wake: () => void } | undefined
      for (const sleeper of this.#sleepers) {
        if (sleeper.due <= end && (next === undefined || sleeper.due < next.due)) next = sleeper
      }
      if (next === undefined) break
      this.#sleepers.delete(next)
      this.#pass(next.due)
      next.wake()
      await drained()
    }
    this.#pass(end)
    await settle()
  }

  #pass(to: number): void {
    if (to <= this.#elapsedMs) return
    this.#elapsedMs = to
    for (const follow of this.#followers) follow()
  }
}

/** Resolves once every promise chain has come to where it waits for time or for the outside. No turn of the event loop is made: it costs ten
 * times as much, and what is outside (files, sockets) has real time, which virtual time does not wait for anyway. */
const drained = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

/** Lets promise chains and already queued callbacks run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

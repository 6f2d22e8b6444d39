import type { Clock } from '../../events/ports.js'

export interface RepeatOptions {
  readonly clock: Clock
  readonly intervalS: number
  /** Before the first phase; ticks follow at phase + interval, phase + 2 × interval … */
  readonly runAfterS?: number
  /** Also tick at the phase itself. */
  readonly immediately?: boolean
  readonly tick: () => Promise<void> | void
  /** Errors of a tick never end the timer. */
  readonly onError: (error: unknown) => void
}

/** A phase-locked timer. A tick that takes longer than the interval skips the ticks it missed, so none pile up. */
export interface Repeating {
  /** Ticks are skipped, the phase goes on. */
  pause(): void
  resume(): void
  /** No further tick begins. Resolves when a tick under way has ended. */
  stop(): Promise<void>
}

export function repeat(options: RepeatOptions): Repeating {
  const { clock, intervalS, runAfterS = 0, immediately = false, tick, onError } = options
  const stop = new AbortController()
  let paused = false

  const run = async (): Promise<void> => {
    const intervalMs = intervalS * 1000
    const phaseMs = clock.monotonicMs() + runAfterS * 1000
    for (let k = immediately ? 0 : 1; ; ) {
      await clock.sleepUntil(phaseMs + k * intervalMs, stop.signal)
      if (stop.signal.aborted) return
      if (!paused) {
        try {
          await tick()
        } catch (error) {
          onError(error)
        }
      }
      // A tick that ends exactly on the next beat is on time, hence the microsecond of tolerance.
      k = Math.max(k + 1, Math.ceil((clock.monotonicMs() - phaseMs - 1e-3) / intervalMs))
    }
  }
  const running = run()
  return {
    pause() {
      paused = true
    },
    resume() {
      paused = false
    },
    async stop() {
      stop.abort()
      await running
    },
  }
}

/** Sleeps for so many seconds of the clock, or until `stop` is aborted. */
export const sleepS = (clock: Clock, seconds: number, stop?: AbortSignal): Promise<void> =>
  clock.sleepUntil(clock.monotonicMs() + seconds * 1000, stop)

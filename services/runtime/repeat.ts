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
  /** How many ticks were skipped because the last one took too long or the computer was late; told before the next one. */
  readonly onSkipped?: (ticks: number) => void
}

/** A phase-locked timer. A tick that takes longer than the interval skips the ticks it missed, so none pile up. */
export interface Repeating {
  /** Ticks are skipped, the phase goes on. */
  pause(): void
  resume(): void
  /** No further tick begins. Resolves when a tick under way has ended. */
  stop(): Promise<void>
}

/** What ends or begins exactly on a beat is on time. */
const TOLERANCE_MS = 1e-3

export function repeat(options: RepeatOptions): Repeating {
  const { clock, intervalS, runAfterS = 0, immediately = false, tick, onError, onSkipped } = options
  const stop = new AbortController()
  let paused = false
  let skipped = 0

  const run = async (): Promise<void> => {
    const intervalMs = intervalS * 1000
    const phaseMs = clock.monotonicMs() + runAfterS * 1000
    for (let k = immediately ? 0 : 1; ; ) {
      await clock.sleepUntil(phaseMs + k * intervalMs, stop.signal)
      if (stop.signal.aborted) return
      const due = k
      k = Math.max(k, Math.floor((clock.monotonicMs() - phaseMs + TOLERANCE_MS) / intervalMs))
      skipped += k - due
      if (!paused) {
        if (skipped > 0) onSkipped?.(skipped)
        try {
          await tick()
        } catch (error) {
          onError(error)
        }
      }
      const next = Math.max(k + 1, Math.ceil((clock.monotonicMs() - phaseMs - TOLERANCE_MS) / intervalMs))
      skipped = next - k - 1
      k = next
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

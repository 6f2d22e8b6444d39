import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './events/ports.js'

/** Longest delay a Node timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1

export interface ClockSettings {
  /** How many times as fast as real time; 1 is the machine's clock. */
  readonly speed: number
  /** Where accelerated time begins, ms UTC. */
  readonly epochMs: number
}

/** The machine's clock, or simulated time that runs `speed` times as fast from `epochMs` on.
 * Processes that share speed and epoch share the time. */
export function createClock({ speed = 1, epochMs = 0 }: Partial<ClockSettings> = {}): Clock {
  const now = (): Date => (speed === 1 ? new Date() : new Date(epochMs + (Date.now() - epochMs) * speed))
  const monotonicMs = (): number => performance.now() * speed
  return {
    now,
    monotonicMs,
    async sleepUntil(due, stop) {
      while (stop?.aborted !== true) {
        const left = (due - monotonicMs()) / speed
        if (left <= 0) return
        await delay(Math.min(left, MAX_DELAY_MS), undefined, stop === undefined ? {} : { signal: stop }).catch(
          ignoreAbort,
        )
      }
    },
  }
}

const ignoreAbort = (error: unknown): void => {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}

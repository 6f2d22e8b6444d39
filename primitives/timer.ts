import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../events/ports.js'

/** The part of a clock that waits. */
export type Timer = Pick<Clock, 'monotonicMs' | 'sleepUntil'>

/** Longest delay a Node timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** The machine's time. For what does not run faster when time is simulated: sockets, disks, other processes. */
export const realTime: Timer = {
  monotonicMs: () => performance.now(),
  async sleepUntil(due, stop) {
    while (stop?.aborted !== true) {
      const left = due - performance.now()
      if (left <= 0) return
      await delay(Math.min(left, MAX_DELAY_MS), undefined, stop === undefined ? {} : { signal: stop }).catch(
        ignoreAbort,
      )
    }
  },
}

const ignoreAbort = (error: unknown): void => {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}

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
      await delay(Math.min(left, MAX_DELAY_MS), stop)
    }
  },
}

/** Resolves after a time, or when stopped: most waits are given up, and an exception for each would cost more than all else about it. */
const delay = (ms: number, stop: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      stop?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    stop?.addEventListener('abort', end, { once: true })
  })

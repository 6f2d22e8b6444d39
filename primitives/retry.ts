import { realTime, type Timer } from './timer.js'

export interface RetryOptions {
  /** How often the work is tried at most, the first time included. */
  readonly attempts: number
  /** Between two attempts; none by default. A function is given the number of the attempt that failed, from 1. */
  readonly pauseMs?: number | ((attempt: number) => number)
  /** Whether another attempt may succeed; every error is worth one by default. */
  readonly isWorthAnother?: (error: unknown) => boolean
  /** Prepares the next attempt. What it throws ends the retries. */
  readonly recover?: () => Promise<void>
  /** Real time unless a clock is given. */
  readonly timer?: Timer
}

/** The first success of the work, or the error of its last attempt.
 * @example
 * ```ts
 * const port = await retry({ attempts: 40, pauseMs: 25 }, () => open())
 * ``` */
export async function retry<T>(options: RetryOptions, work: () => Promise<T>): Promise<T> {
  const { attempts, pauseMs = 0, isWorthAnother = () => true, recover, timer = realTime } = options
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isWorthAnother(error)) throw error
    }
    await recover?.()
    const pause = typeof pauseMs === 'number' ? pauseMs : pauseMs(attempt)
    if (pause > 0) await timer.sleepUntil(timer.monotonicMs() + pause)
  }
}

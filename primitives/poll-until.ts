import { realTime, type Timer } from './timer.js'

export interface PollOptions {
  /** How long to go on asking. */
  readonly limitMs: number
  /** From one answer to the next question. */
  readonly everyMs: number
  /** Real time unless a clock is given. */
  readonly timer?: Timer
  /** Ends the pauses: what is asked will fail, or not change any more. */
  readonly stop?: AbortSignal
}

/** Asks what can only be asked again and again, until the answer is the one that is waited for or the time is over.
 * @returns the last answer, whichever it is
 * @example
 * ```ts
 * const state = await pollUntil({ limitMs: 1000, everyMs: 10 }, readState, (read) => read === 'ready')
 * ``` */
export async function pollUntil<T>(
  { limitMs, everyMs, timer = realTime, stop }: PollOptions,
  ask: () => T | Promise<T>,
  isAwaited: (answer: T) => boolean,
): Promise<T> {
  const end = timer.monotonicMs() + limitMs
  for (;;) {
    const answer = await ask()
    if (isAwaited(answer) || timer.monotonicMs() > end) return answer
    await timer.sleepUntil(timer.monotonicMs() + everyMs, stop)
  }
}

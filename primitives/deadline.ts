import { realTime, type Timer } from './timer.js'

/** Nobody sees it; without a reason each abort would make an error with its stack. */
const IN_TIME = 'in time'

/** What the work resolves with; when it takes longer than the limit, what `late` returns or throws. The work itself goes on, and what
 * becomes of it later is ignored.
 * @param timer real time unless a clock is given
 * @example
 * ```ts
 * const answer = await deadline(100, work, () => 'late')
 * ``` */
export async function deadline<T, L>(
  limitMs: number,
  work: Promise<T>,
  late: () => L,
  timer: Timer = realTime,
): Promise<T | L> {
  const settled = new AbortController()
  const over = timer
    .sleepUntil(timer.monotonicMs() + limitMs, settled.signal)
    .then(() => (settled.signal.aborted ? new Promise<never>(() => undefined) : late()))
  try {
    return await Promise.race([work, over])
  } finally {
    settled.abort(IN_TIME)
  }
}

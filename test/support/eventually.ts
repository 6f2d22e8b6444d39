import { setTimeout as delay } from 'node:timers/promises'

/** Repeats an attempt, most often an assertion, until it no longer throws. @returns its result. @throws its last error, after the timeout */
export async function eventually<T>(attempt: () => T | Promise<T>, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await delay(5)
  }
}

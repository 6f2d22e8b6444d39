import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a condition instead of for time. Fails with what was awaited when it never comes true. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 20_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`waited ${timeoutMs} ms in vain for: ${typeof what === 'string' ? what : what()}`)
    }
    await delay(5)
  }
}

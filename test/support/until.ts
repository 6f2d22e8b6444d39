import { eventually } from './eventually.js'

/** Waits for a condition instead of for time. Fails with what was awaited when it never comes true. */
export function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 20_000,
): Promise<void> {
  return eventually(async () => {
    if (await condition()) return
    throw new Error(`waited ${timeoutMs} ms in vain for: ${typeof what === 'string' ? what : what()}`)
  }, timeoutMs)
}

import { setTimeout as delay } from 'node:timers/promises'
import { defineError } from '../events/core/errors.js'

const StartTimeout = defineError('start.timeout', 'state', 'A part of the unit did not start in time.')

const POLL_MS = 20

/** Waits for a condition of another process, which can only be asked again and again.
 * @param what completes "waited … s for". @throws StartTimeout */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new StartTimeout(`Waited ${timeoutMs / 1000} s for ${what} without success.`)
    }
    await delay(POLL_MS)
  }
}

import { defineError } from '../events/core/errors.js'
import { pollUntil } from '../primitives/poll-until.js'

const StartTimeout = defineError('start.timeout', 'state', 'A part of the unit did not start in time.')

const POLL_MS = 20

/** Waits for a condition of another process, which can only be asked again and again.
 * @param what completes "waited … s for". @throws StartTimeout */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  what: string,
): Promise<void> {
  if (await pollUntil({ limitMs: timeoutMs, everyMs: POLL_MS }, condition, Boolean)) return
  throw new StartTimeout(`Waited ${timeoutMs / 1000} s for ${what} without success.`)
}

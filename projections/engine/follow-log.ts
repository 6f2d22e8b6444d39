import { COMMIT_CHANNEL } from '../../event-log/commit-channel.js'
import { Alarm } from '../../primitives/alarm.js'

/** Commits made in another process are seen by looking; those of this process announce themselves. */
const POLL_MS = 50
/** A full disk or a locked file is tried again so often. */
const RETRY_MS = 1000

export interface FollowOptions {
  /** Handles the next events; 0 when there are none left. */
  readonly step: () => Promise<number>
  /** Called whenever everything is handled. */
  readonly onCaughtUp: () => Promise<void>
  /** Called when a step failed; it is tried again. */
  readonly onError: (error: unknown) => void
  readonly stop: AbortSignal
  /** Shortest time between two rounds of steps, which lets small commits gather. */
  readonly paceMs?: number
}

/** Calls `step` whenever the log has grown, until it is stopped; then once more, so that who stops us after the last event finds it
 * handled. */
export async function followLog({ step, onCaughtUp, onError, stop, paceMs = 0 }: FollowOptions): Promise<void> {
  const alarm = new Alarm(stop)
  const commits = new BroadcastChannel(COMMIT_CHANNEL)
  commits.onmessage = () => alarm.ring()
  try {
    while (!stop.aborted) {
      try {
        while (!stop.aborted && (await step()) > 0) await new Promise(setImmediate)
        if (stop.aborted) break
        await onCaughtUp()
      } catch (error) {
        onError(error)
        await alarm.wait(RETRY_MS, RETRY_MS)
        continue
      }
      await alarm.wait(paceMs, Math.max(paceMs, POLL_MS))
    }
    await step()
  } catch (error) {
    onError(error)
  } finally {
    commits.close()
  }
}

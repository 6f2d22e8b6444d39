import type { Clock } from '../../events/ports.js'

/** Run ids of recent orders by what was ordered, so that a repeated request finds the run it already started. */
export interface IdempotencyCache {
  /** The run id of an equal order that was accepted or is being accepted; otherwise `start` decides and is remembered unless it fails. */
  once(order: string, start: () => Promise<string>): Promise<string>
}

/** A client repeats a request after at most 3 × 10 s without an answer. */
export const REPEAT_WINDOW_MS = 30_000

export function createIdempotencyCache(clock: Clock, windowMs = REPEAT_WINDOW_MS): IdempotencyCache {
  const orders = new Map<string, { readonly at: number; readonly runId: Promise<string> }>()
  return {
    once(order, start) {
      const now = clock.monotonicMs()
      for (const [old, { at }] of orders) {
        if (now - at < windowMs) break
        orders.delete(old)
      }
      const earlier = orders.get(order)
      if (earlier !== undefined) return earlier.runId
      const runId = start()
      orders.set(order, { at: now, runId })
      runId.catch(() => orders.delete(order))
      return runId
    },
  }
}

import type { Clock } from '../../events/ports.js'

/** One admission per key and window. A refused attempt does not extend the window. */
export interface RateLimit {
  /** Whether the key may pass now; passing opens its window. */
  admit(key: string): boolean
}

/** @param windowMs length of the window on the injected clock. */
export function createRateLimit(clock: Clock, windowMs: number): RateLimit {
  const openedAt = new Map<string, number>()
  return {
    admit(key) {
      const now = clock.monotonicMs()
      for (const [other, opened] of openedAt) {
        if (now - opened < windowMs) break
        openedAt.delete(other)
      }
      if (openedAt.has(key)) return false
      openedAt.set(key, now)
      return true
    },
  }
}

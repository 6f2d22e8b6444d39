import type { ServerResponse } from 'node:http'
import { defineError, type LabError } from '../../events/core/errors.js'
import { withStatus } from './errors.js'

export const GatewayBusy = withStatus(
  503,
  defineError('gateway.busy', 'state', 'Requests under way hold all the memory there is for bodies and answers.'),
)

/** Bounds the memory of bodies and answers under way, over all connections. */
export interface MemoryBudget {
  /** Counts bytes that a request holds from now until its response is closed.
   * @throws GatewayBusy when others hold too much. */
  take(response: ServerResponse, bytes: number): void
}

/** So much of each request is always admitted, so that those who send slowly keep nobody from giving ordinary orders. */
export const FREE_BYTES = 16 * 1024

/** @param limit bytes in sum; one request alone may hold more. */
export function createMemoryBudget(limit: number): MemoryBudget {
  const held = new WeakMap<ServerResponse, { bytes: number }>()
  let sum = 0
  return {
    take(response, bytes) {
      const holding = held.get(response) ?? { bytes: -FREE_BYTES }
      const others = sum - Math.max(holding.bytes, 0)
      const wanted = holding.bytes + bytes
      if (wanted > 0 && others > 0 && others + wanted > limit) throw busy()
      if (response.closed) return
      sum = others + Math.max(wanted, 0)
      holding.bytes = wanted
      if (held.has(response)) return
      held.set(response, holding)
      response.once('close', () => {
        sum -= Math.max(holding.bytes, 0)
      })
    },
  }
}

const busy = (): LabError =>
  new GatewayBusy('Other requests hold all the memory there is for bodies and answers.', {
    remediation: 'Send the request again in a moment.',
    details: { retry_after_s: 1 },
  })

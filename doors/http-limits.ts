import type { Server } from 'node:http'
import type { ServerOptions } from 'node:https'

/** How long HTTP connections may take, and how many there may be. */
export interface HttpLimits {
  readonly headersMs: number
  /** Headers and body. */
  readonly requestMs: number
  /** Without a byte in either direction, as when nobody reads an answer. */
  readonly idleMs: number
  readonly connections: number
}

export const HTTP_LIMITS: HttpLimits = { headersMs: 10_000, requestMs: 60_000, idleMs: 120_000, connections: 4000 }

/** Between requests on one connection. */
const KEEP_ALIVE_MS = 5000
const CHECK_MS = 1000

/** Options for `createServer`, HTTP or HTTPS. */
export const limitedServer = ({ headersMs, requestMs }: HttpLimits): ServerOptions => ({
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: Math.min(CHECK_MS, headersMs),
})

/** What can only be set once there is a server. WebSockets have limits of their own. */
export function limitConnections(server: Server, { idleMs, connections }: HttpLimits): void {
  server.timeout = idleMs
  server.maxConnections = connections
}

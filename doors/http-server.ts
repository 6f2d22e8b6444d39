import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { TlsIdentity } from './tls-identity.js'

/** How long HTTP connections may take, and how many there may be. */
export interface HttpLimits {
  readonly headersMs: number
  /** Headers and body. */
  readonly requestMs: number
  /** Without a byte in either direction, as when nobody reads an answer. */
  readonly idleMs: number
  readonly connections: number
}

/** Of one port; each costs a descriptor and some memory. */
export const MAX_CONNECTIONS = 4000

export const HTTP_LIMITS: HttpLimits = {
  headersMs: 10_000,
  requestMs: 60_000,
  idleMs: 120_000,
  connections: MAX_CONNECTIONS,
}

/** Between requests on one connection. */
const KEEP_ALIVE_MS = 5000
const CHECK_MS = 1000

export type HttpServer = Server | HttpsServer

function createHttps(options: ServerOptions, tls: TlsIdentity, listener: RequestListener): HttpsServer {
  const server = createHttpsServer({ ...options, ...tls.options }, listener)
  tls.follow(server)
  return server
}

/** An HTTP server, or HTTPS where there is an identity, with limits. */
export function createHttpServer(
  listener: RequestListener,
  { limits = HTTP_LIMITS, tls }: { readonly limits?: HttpLimits | undefined; readonly tls?: TlsIdentity | undefined },
): HttpServer {
  const options = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
  }
  const server = tls === undefined ? createServer(options, listener) : createHttps(options, tls, listener)
  server.timeout = limits.idleMs
  server.maxConnections = limits.connections
  return server
}

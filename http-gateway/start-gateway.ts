import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { trackConnections } from '../doors/connections.js'
import { createHttpServer, type HttpLimits, type HttpServer } from '../doors/http-server.js'
import type { TlsIdentity } from '../doors/tls-identity.js'
import { announceWebServer } from './announce.js'
import { createApp } from './app.js'
import type { GatewayDeps } from './context.js'
import type { Endpoint } from './framework/endpoint.js'
import { createPendingTasks } from './pending-tasks.js'
import { followServices } from './service-presence.js'

export interface GatewayOptions {
  readonly deps: GatewayDeps
  /** Those of the product by default. */
  readonly endpoints?: readonly Endpoint[] | undefined
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly limits?: HttpLimits | undefined
  /** Without it the port serves plain HTTP. */
  readonly tls?: TlsIdentity | undefined
  /** Takes over WebSocket connections to `/mqtt`; without it they are refused. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface Gateway {
  readonly port: number
  readonly server: HttpServer
  /** Ends every connection; resolves when the port is free. */
  stop(): Promise<void>
}

/** Listens for both APIs. @throws Error of the operating system when the port cannot be had. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { deps, endpoints, host, port, onUpgrade, limits, tls } = options
  const services = followServices(deps.bus, deps.unit, () => deps.log.lastPosition())
  const pendingTasks = createPendingTasks({ ...deps, services })
  const server = createHttpServer(createApp(deps, { services, pendingTasks }, endpoints), { limits, tls })
  const endConnections = trackConnections(server)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (onUpgrade !== undefined && request.url?.split('?')[0] === '/mqtt') onUpgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.listen(port, host)
  await once(server, 'listening')
  const place = { host, port: (server.address() as AddressInfo).port, isTls: tls !== undefined }
  const endAnnouncement = announceWebServer(deps, place)
  return {
    port: place.port,
    server,
    async stop() {
      endAnnouncement()
      await pendingTasks.stop()
      const closed = once(server, 'close')
      server.close()
      endConnections()
      await closed
    },
  }
}

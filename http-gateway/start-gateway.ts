import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { HTTP_LIMITS, type HttpLimits, limitConnections, limitedServer } from '../doors/http-limits.js'
import { createApp } from './app.js'
import type { GatewayDeps } from './context.js'

export interface GatewayOptions {
  readonly deps: GatewayDeps
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly limits?: HttpLimits
  /** Takes over WebSocket connections to `/mqtt`; without it they are refused. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface Gateway {
  readonly port: number
  readonly server: Server
  /** Ends every connection; resolves when the port is free. */
  stop(): Promise<void>
}

/** Listens for both APIs. @throws Error of the operating system when the port cannot be had. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { deps, host, port, onUpgrade, limits = HTTP_LIMITS } = options
  const server = createServer(limitedServer(limits), createApp(deps))
  limitConnections(server, limits)
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    if (onUpgrade !== undefined && request.url?.split('?')[0] === '/mqtt') onUpgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
      await closed
    },
  }
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { type IsOwnHost, isForeignPage, isForUs } from '../doors/hosts.js'
import { MAX_PACKET_BYTES } from '../events/limits.js'

interface WebSocketOptions {
  readonly isOwnHost: IsOwnHost
  /** Whether pages of other sites may connect: only where every client is asked for a password. */
  readonly openToPages: boolean
  /** Takes over a connection that carries MQTT. */
  readonly handle: (stream: Duplex, request: IncomingMessage) => void
}

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** MQTT over WebSocket for HTTP servers that hand their `upgrade` events over. */
export function webSocketUpgrade({ isOwnHost, openToPages, handle }: WebSocketOptions): Upgrade {
  const server = new WebSocketServer({
    noServer: true,
    // One frame holds a packet, or a few small ones.
    maxPayload: 2 * MAX_PACKET_BYTES,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false),
  })
  return (request, socket, head) => {
    if (!isForUs(request, isOwnHost)) return refuse(socket, OTHER_HOST)
    // It could give orders through a browser on this machine.
    if (!openToPages && isForeignPage(request.headers, socket instanceof TLSSocket)) return refuse(socket, FOREIGN_PAGE)
    server.handleUpgrade(request, socket, head, (webSocket) => {
      // Ahead of the stream's own listener [MQTT-6.0.0-1].
      webSocket.on('message', (_data, isBinary) => {
        if (!isBinary) stream.destroy()
      })
      const stream = createWebSocketStream(webSocket)
      handle(stream, request)
    })
  }
}

const OTHER_HOST = [
  '421 Misdirected Request',
  'The request names a host that is none of this unit; the setting ALLOWED_HOSTS lists further names.',
] as const
const FOREIGN_PAGE = [
  '403 Forbidden',
  'Without a password for MQTT, pages of other sites may not connect; set MQTT_USERNAME and MQTT_PASSWORD.',
] as const

function refuse(socket: Duplex, [status, reason]: readonly [string, string]): void {
  socket.on('error', () => socket.destroy())
  const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${reason.length}\r\n\r\n`
  socket.end(head + reason)
}

import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import type { IncomingMessage, RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { Admission } from '../doors/admission.js'
import { trackConnections } from '../doors/connections.js'
import { createHttpServer, MAX_CONNECTIONS } from '../doors/http-server.js'
import { withSocketPath } from '../doors/socket-path.js'
import type { TlsIdentity } from '../doors/tls-identity.js'
import type { PagingEventLogReader } from '../event-log/reader.js'
import type { OwnedEventLogWriter } from '../event-log/writer.js'
import type { Clock, Logger } from '../events/ports.js'
import type { TopicRights } from '../events/topic-rights.js'
import { type Credentials, createAccess } from './access.js'
import { Deliveries } from './deliveries.js'
import { RecordingBroker } from './recording-broker.js'
import { SESSION_LIMITS, type SessionCounts, type SessionLimits } from './session-limits.js'
import { webSocketUpgrade } from './web-sockets.js'

export interface BrokerOptions extends Credentials, Admission {
  readonly log: OwnedEventLogWriter
  readonly reader: PagingEventLogReader
  readonly clock: Clock
  readonly logger: Logger
  readonly unit: string
  /** Second levels of the topics that are this unit's: its name, and that of its box. */
  readonly names: readonly string[]
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly wsPort: number
  /** Without it the ports speak MQTT and WebSocket in the clear. */
  readonly tls?: TlsIdentity | undefined
  /** Unix socket for this user's own processes. */
  readonly socketPath: string
  /** SQLite file of persistent sessions. */
  readonly sessionsPath: string
  readonly sessionLimits?: SessionLimits
  /** The parts of the topics that are instruments', and who may publish there. */
  readonly topics: readonly TopicRights[]
  /** Topic filters outside them and `system/` that are delivered but not recorded. */
  readonly recordExclude: readonly string[]
}

export interface RunningBroker {
  readonly port: number
  readonly wsPort: number
  /** MQTT over WebSocket on the HTTP server: give it the `upgrade` events whose path is `/mqtt`. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  sessionCounts(): SessionCounts
  /** Closes listeners and connections; resolves when every event that came in, wills included, is recorded. Log and reader stay open. */
  stop(): Promise<void>
}

/** Starts the recording broker: MQTT 3.1.1 over TCP and WebSocket. The state of the log is kept on `$SYS/benchlog/log`. */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { log, reader, host, sessionLimits = SESSION_LIMITS } = options
  const access = createAccess(options.topics, options.names)
  const deliveries = new Deliveries({ ...options, access })
  const broker = new RecordingBroker({ ...options, access, deliveries, received: reader.received(), sessionLimits })
  await broker.listen()
  const endStatus = log.onStatus((status) => broker.logChanged(status))

  const handle = (socket: Socket): void => void broker.handle(socket)
  const tcp = options.tls === undefined ? createServer({ noDelay: true }, handle) : createMqtts(options.tls, handle)
  const own = createServer(handle)
  const handleUpgrade = webSocketUpgrade({
    isOwnHost: options.isOwnHost,
    openToPages: options.mqttUsername !== '',
    handle: (stream, request) => broker.handle(stream, request),
  })
  const refuse: RequestListener = (_request, response) => response.writeHead(426, { Upgrade: 'websocket' }).end()
  const http = createHttpServer(refuse, { tls: options.tls })
  http.on('upgrade', handleUpgrade)

  tcp.maxConnections = MAX_CONNECTIONS
  const servers = [tcp, own, http]
  for (const server of servers) {
    // A connection that cannot be accepted is lost, and nothing else.
    server.on('error', (error) => options.logger.warn({ err: error }, 'a connection could not be accepted'))
  }
  const connections = servers.map(trackConnections)
  const stop = async (): Promise<void> => {
    endStatus()
    const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)))
    await new Promise<void>((resolve) => broker.close(resolve))
    for (const endConnections of connections) endConnections()
    await Promise.all(closed)
    await Promise.race([broker.idle(), unwritable(log)])
    deliveries.close()
  }

  try {
    await listenAtPath(own, options.socketPath)
    await listen(tcp, options.port, host)
    await listen(http, options.wsPort, host)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port: portOf(tcp),
    wsPort: portOf(http),
    handleUpgrade,
    sessionCounts: () => broker.sessionCounts(),
    stop,
  }
}

/** Resolves when the log cannot be written: then what waits for it is never settled. */
const unwritable = (log: OwnedEventLogWriter): Promise<void> =>
  new Promise((resolve) => {
    log.onStatus(({ writable }) => {
      if (!writable) resolve()
    })
  })

function createMqtts(tls: TlsIdentity, handle: (socket: Socket) => void): Server {
  const server = createTlsServer({ ...tls.options, noDelay: true }, handle)
  // After a handshake that takes too long Node leaves this to us; an HTTPS server does it by itself.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  tls.follow(server)
  return server
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

/** A socket that a killed broker left behind is replaced; two brokers at once are refused elsewhere. */
async function listenAtPath(server: Server, path: string): Promise<void> {
  await rm(path, { force: true })
  withSocketPath(path, (short) => server.listen(short))
  await once(server, 'listening')
  await chmod(path, 0o600)
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

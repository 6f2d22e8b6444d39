import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import type { Logger } from '../events/ports.js'

/** The version this folder was written against and checked with. */
const CHECKED_VERSION = '1.2.0'

/** What Aedes keeps of a connection and does not declare. */
export interface ClientInternals {
  /** Every chunk that comes is given to `parse`; what is emitted as a packet, Aedes handles. */
  readonly _parser: { parse(chunk: Buffer): number; emit(event: 'packet', packet: object): void }
  /** Set with CONNECT, when the client asked for a keep-alive; its end is the end of the connection. */
  readonly _keepaliveTimer: NodeJS.Timeout | null
  pause(): void
  resume(): void
}

interface BrokerInternals {
  readonly version: string
  /** The connection that has each client id. */
  readonly clients: Readonly<Record<string, Client>>
  registerClient(client: Client): void
  unregisterClient(client: Client): void
}

export const internals = (client: Client): ClientInternals => client as unknown as ClientInternals

const brokerInternals = (broker: Aedes): BrokerInternals => broker as unknown as BrokerInternals

/** A connection may end while its CONNECT is still worked on. Aedes would then give it the client id for good, and, because it goes by
 * the id, take out the connection that has the id now. */
export function guardRegistration(broker: Aedes): void {
  const inside = brokerInternals(broker)
  const register = inside.registerClient.bind(broker)
  const unregister = inside.unregisterClient.bind(broker)
  inside.registerClient = (client) => {
    if (!client.closed) register(client)
  }
  inside.unregisterClient = (client) => {
    if (inside.clients[client.id] === client) unregister(client)
  }
}

/** Tries on a connection of its own whether Aedes has what we rely on.
 * @throws Error that names what is missing, the version found and the version checked. */
export function assertInternals(broker: Aedes, logger: Logger): void {
  const inside = brokerInternals(broker)
  const found = inside.version
  const versions = { found, checked: CHECKED_VERSION }
  const client = broker.handle(new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }))
  const missing = missingOf(client, inside)
  client.close()
  if (missing.length > 0) {
    throw new Error(
      `Aedes ${found} has no ${missing.join(', no ')}: this broker was checked with ${CHECKED_VERSION} and relies on it`,
    )
  }
  if (found !== CHECKED_VERSION) logger.warn(versions, 'another version of Aedes than this broker was checked with')
}

function missingOf(client: Client, { clients, registerClient, unregisterClient }: BrokerInternals): string[] {
  const inside = internals(client)
  const present = {
    'Client._parser.parse': typeof inside._parser?.parse === 'function',
    "listener of Client._parser for 'packet'":
      inside._parser instanceof EventEmitter && inside._parser.listenerCount('packet') === 1,
    'Client._keepaliveTimer': inside._keepaliveTimer === null,
    'Client.pause': typeof inside.pause === 'function',
    'Client.resume': typeof inside.resume === 'function',
    'Client.closed': client.closed === false,
    'Client.connected': client.connected === false,
    'Client.conn': client.conn instanceof Duplex,
    'Aedes.clients': typeof clients === 'object',
    'Aedes.registerClient': typeof registerClient === 'function',
    'Aedes.unregisterClient': typeof unregisterClient === 'function',
  }
  return Object.entries(present).flatMap(([name, isThere]) => (isThere ? [] : [name]))
}

import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes'
import type { NewEvent } from '../events/event.js'
import { type Refusal, timestampOf } from '../events/payloads.js'
import type { Clock, EventLogWriter, Logger } from '../events/ports.js'
import { matchesFilter, systemTopic } from '../events/topic.js'
import { authenticate, type Credentials, isOurs, type Role, refusalOf } from './access.js'
import { AedesPersistence } from './aedes-persistence.js'
import type { Deliveries } from './deliveries.js'
import { Outbox } from './outbox.js'
import { ReceivedMessages } from './received-messages.js'
import { Recorder } from './recorder.js'
import { PassingSubscriber, type Subscriber } from './subscriber.js'

export interface RecordingBrokerOptions extends Credentials {
  readonly log: EventLogWriter
  readonly deliveries: Deliveries
  readonly clock: Clock
  readonly logger: Logger
  readonly unit: string
  /** Filters outside our families whose messages are delivered unrecorded. */
  readonly recordExclude: readonly string[]
}

/** Longest packet a client may send, MQTT's remaining length. */
export const MAX_PACKET_BYTES = 1024 * 1024
/** A client id is repeated in every event it causes. */
const MAX_CLIENT_ID_BYTES = 256
/** QoS 2 messages a client may leave unreleased; as Mosquitto is set up on a leader. */
const MAX_UNRELEASED = 1000

/** CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
const IDENTIFIER_REJECTED = 2
const BAD_CREDENTIALS = 4

/** Aedes tells its fan-out to this; the fan-out here is `Deliveries`. */
const NO_FAN_OUT = {
  on: () => undefined,
  removeListener: () => undefined,
  emit: (_packet: unknown, done?: () => void) => done?.(),
  close: (done: () => void) => setImmediate(done),
}

/** What Aedes keeps of a connection and does not declare. */
interface ClientInternals {
  /** From here on the client's own packets are handled. */
  readonly connackSent: boolean
  readonly _parser: { parse(chunk: Buffer): number; readonly packet: { readonly length: number } }
}

interface Connection {
  readonly client: Client
  readonly subscriber: Subscriber
  readonly outbox: Outbox
  readonly filters: Set<string>
}

/** Aedes for the protocol; recording, delivery order, retained values and sessions are ours. Aedes calls `authorizePublish` for
 * every PUBLISH and every will, and answers the client when that calls back: by then the event is on disk and delivered. */
export class RecordingBroker extends Aedes {
  readonly #options: RecordingBrokerOptions
  readonly #recorder: Recorder
  readonly #received: ReceivedMessages
  readonly #roles = new WeakMap<Client, Role>()
  readonly #unidentified = new WeakSet<Client>()
  /** By client id. */
  readonly #connections = new Map<string, Connection>()

  constructor(options: RecordingBrokerOptions) {
    const received = new ReceivedMessages()
    for (const [clientId, messageId] of options.deliveries.received()) {
      received.add(clientId, messageId, Promise.resolve())
    }
    const acknowledged = (clientId: string, messageId: number): void =>
      this.#connections.get(clientId)?.subscriber.acknowledged(messageId)
    super({
      id: 'benchlog',
      mq: NO_FAN_OUT,
      persistence: new AedesPersistence(options.deliveries, received, acknowledged),
      maxClientsIdLength: MAX_CLIENT_ID_BYTES,
    })
    this.#options = options
    this.#received = received
    this.#recorder = new Recorder(options.log, (events) => {
      for (const event of events) options.deliveries.deliver(event)
      options.deliveries.flush()
    })
    this.authenticate = (client, username, password, done) => this.#authenticate(client, username, password, done)
    this.authorizePublish = (client, packet, done) => this.#record(client, packet, done)
    this.authorizeSubscribe = (client, subscription, done) => {
      this.#subscribe(client, subscription)
      done(null, subscription)
    }
    this.preConnect = (client, packet, done) => {
      const bytes = Buffer.byteLength(packet.clientId)
      // Aedes would invent an id and keep a session nobody can ever come back to [MQTT-3.1.3-8].
      if ((bytes === 0 && packet.clean !== true) || bytes > MAX_CLIENT_ID_BYTES) this.#unidentified.add(client)
      done(null, true)
    }
    const handle = this.handle
    this.handle = (conn, request) => limitPackets(handle(conn, request))
    this.on('clientReady', (client) => this.#attach(client))
    this.on('clientDisconnect', (client) => this.#detach(client))
    this.on('subscribe', (subscriptions, client) => {
      const { subscriber } = this.#connection(client)
      const wanted = subscriptions.map(({ topic, qos }) => ({ filter: topic, qos }))
      options.deliveries.replayRetained(subscriber, wanted)
    })
    this.on('unsubscribe', (filters, client) => this.#unsubscribe(client, filters))
    this.on('clientError', (client, error) => this.#options.logger.debug({ client: client.id, error }, 'client failed'))
    this.on('connectionError', (_client, error) => this.#options.logger.debug({ error }, 'connection refused'))
  }

  /** Called by Aedes once a client's message or will is recorded and delivered, and for its own notes under `$SYS`, which nobody
   * reads: there is nothing left to do. */
  override publish(...args: unknown[]): void {
    const done = args.at(-1)
    if (typeof done === 'function') done()
  }

  override subscribe(...args: unknown[]): void {
    this.publish(...args)
  }

  override unsubscribe(...args: unknown[]): void {
    this.publish(...args)
  }

  /** Delivers a message of the broker's own that is not recorded; retained for those who subscribe later. */
  tell(topic: string, payload: string): void {
    const message = { topic, payload: Buffer.from(payload), qos: 1, retain: true, client: '', position: 0 } as const
    this.#options.deliveries.deliver(message)
    this.#options.deliveries.flush()
  }

  /** Resolves when everything that came in is recorded and delivered, or refused. */
  idle(): Promise<void> {
    return this.#recorder.idle()
  }

  #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, success: boolean | null) => void,
  ): void {
    const role = authenticate(this.#options, username, password)
    if (role === null) {
      this.#options.logger.warn({ client: client.id, username }, 'connection refused: wrong user name or password')
      done(connackError('bad user name or password', BAD_CREDENTIALS), null)
      return
    }
    if (this.#unidentified.has(client) || this.#isTaken(client.id, role)) {
      done(connackError('identifier rejected', IDENTIFIER_REJECTED), null)
      return
    }
    this.#roles.set(client, role)
    done(null, true)
  }

  /** A connection may take over the id of another of its own role only: nobody can push a service aside. */
  #isTaken(clientId: string, role: Role): boolean {
    const other = this.#connections.get(clientId)
    return other !== undefined && this.#roles.get(other.client) !== role
  }

  #record(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const clientId = client?.id ?? ''
    const { qos, messageId } = packet
    if (qos !== 2 || messageId === undefined) {
      this.#recordOnce(client, packet, done)
      return
    }
    const earlier = this.#received.find(clientId, messageId)
    if (earlier !== undefined) {
      earlier.then(() => done(), done)
      return
    }
    if (this.#received.count(clientId) >= MAX_UNRELEASED) {
      done(new Error(`${MAX_UNRELEASED} messages of QoS 2 wait for their release`))
      return
    }
    const recorded = new Promise<void>((resolve, reject) => {
      this.#recordOnce(client, packet, (error) => {
        if (error == null) {
          this.#options.deliveries.session(clientId)?.receive(messageId)
          resolve()
        } else {
          this.#received.remove(clientId, messageId)
          reject(error)
        }
      })
    })
    this.#received.add(clientId, messageId, recorded)
    recorded.then(() => done(), done)
  }

  #recordOnce(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const { topic, qos, retain } = packet
    const payload =
      typeof packet.payload === 'string' ? Buffer.from(packet.payload) : (packet.payload ?? Buffer.alloc(0))
    const event: NewEvent = { topic, payload, qos, retain, client: client?.id ?? '' }
    const role = client === null ? 'service' : (this.#roles.get(client) ?? 'client')
    const reason = refusalOf(role, topic, retain)
    if (reason !== null) {
      this.#recorder.record(this.#refusal(event, reason), done)
    } else if (this.#isExcluded(topic)) {
      this.#options.deliveries.deliver({ ...event, position: 0 })
      this.#options.deliveries.flush()
      done()
    } else {
      this.#recorder.record(event, done)
    }
  }

  #refusal({ client, topic, payload }: NewEvent, reason: string): NewEvent {
    const { unit, clock, logger } = this.#options
    logger.warn({ client, topic, reason }, 'publish refused')
    const refusal: Refusal = { client, topic, bytes: payload.length, reason, timestamp: timestampOf(clock.now()) }
    return {
      topic: systemTopic(unit, 'refusals'),
      payload: Buffer.from(JSON.stringify(refusal)),
      qos: 1,
      retain: false,
      client: '',
    }
  }

  #isExcluded(topic: string): boolean {
    const { recordExclude } = this.#options
    return recordExclude.length > 0 && !isOurs(topic) && recordExclude.some((filter) => matchesFilter(filter, topic))
  }

  #connection(client: Client): Connection {
    const known = this.#connections.get(client.id)
    if (known?.client === client) return known
    const { deliveries, logger } = this.#options
    const giveUp = (): void => {
      logger.warn({ client: client.id }, 'connection closed: the client does not read what it subscribed to')
      client.close()
    }
    const outbox = new Outbox(client.conn as Duplex, giveUp)
    const subscriber = client.clean
      ? new PassingSubscriber(outbox, giveUp)
      : deliveries.attachSession(client.id, outbox)
    const connection = { client, subscriber, outbox, filters: new Set<string>() }
    this.#connections.set(client.id, connection)
    return connection
  }

  #attach(client: Client): void {
    if (!client.closed) this.#connection(client)
  }

  #detach(client: Client): void {
    const connection = this.#connections.get(client.id)
    if (connection?.client !== client) return
    this.#connections.delete(client.id)
    connection.outbox.close()
    this.#options.deliveries.detach(connection.subscriber, connection.filters)
  }

  #subscribe(client: Client, { topic, qos }: { readonly topic: string; readonly qos: 0 | 1 | 2 }): void {
    // Before CONNACK a client's old subscriptions are restored; they come back with the session. `connected` is set later: a quick
    // client subscribes in between.
    if (client.closed || !(client as unknown as ClientInternals).connackSent) return
    const { subscriber, filters } = this.#connection(client)
    filters.add(topic)
    this.#options.deliveries.subscribe(subscriber, { filter: topic, qos })
  }

  #unsubscribe(client: Client, filters: readonly string[]): void {
    const connection = this.#connections.get(client.id)
    if (connection?.client !== client || client.closed) return
    for (const filter of filters) {
      connection.filters.delete(filter)
      this.#options.deliveries.unsubscribe(connection.subscriber, filter)
    }
  }
}

function connackError(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode }) as AuthenticateError
}

/** Closes the connection when a packet declares itself longer than 1 MiB, before its body is buffered. */
function limitPackets(client: Client): Client {
  const { _parser: parser } = client as unknown as ClientInternals
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    const left = parse(chunk)
    const { length } = parser.packet
    if (length > MAX_PACKET_BYTES) {
      client.emit('error', new Error(`a packet of ${length} bytes; the limit is ${MAX_PACKET_BYTES} bytes`))
    }
    return left
  }
  return client
}

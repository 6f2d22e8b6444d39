// Longer than 300 lines: all that is overridden of Aedes is in one place, beside what is relied on inside it.

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes'
import type { Attempts } from '../doors/attempts.js'
import { timestampOf } from '../events/core/timestamp.js'
import type { NewEvent, ReceivedMessage } from '../events/event.js'
import type { Clock, EventLogWriter, Logger } from '../events/ports.js'
import { type LogStatus, logStatusEvent } from '../events/system/log-status.js'
import { type Refusal, refusalEvent } from '../events/system/refusals.js'
import { matchesFilter } from '../events/topic.js'
import { type Access, authenticate, type Credentials, type Role } from './access.js'
import { assertInternals, guardRegistration } from './aedes-internals.js'
import { AedesPersistence } from './aedes-persistence.js'
import { ClientPackets, IDENTIFIER_REJECTED, MAX_CLIENT_ID_BYTES } from './client-packets.js'
import { Connection } from './connection.js'
import { contain, fail } from './containment.js'
import type { Deliveries } from './deliveries.js'
import { ProtocolViolation } from './protocol-violation.js'
import { Publisher } from './publisher.js'
import { ReceivedMessages } from './received-messages.js'
import { Recorder } from './recorder.js'
import { SendBuffer } from './send-buffer.js'
import { type SessionCounts, SessionKeeper, type SessionLimits } from './session-limits.js'
import { Turns } from './turns.js'

export interface RecordingBrokerOptions extends Credentials {
  readonly log: EventLogWriter
  readonly deliveries: Deliveries
  readonly access: Access
  readonly attempts: Attempts
  /** QoS 2 messages that are recorded and not yet released. */
  readonly received: readonly ReceivedMessage[]
  readonly sessionLimits: SessionLimits
  readonly clock: Clock
  readonly logger: Logger
  readonly unit: string
  /** Filters outside our families whose messages are delivered unrecorded. */
  readonly recordExclude: readonly string[]
}

/** CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
const SERVER_UNAVAILABLE = 3
const BAD_CREDENTIALS = 4

/** A client that opens a connection sends CONNECT at once. */
const CONNECT_TIMEOUT_MS = 10_000

/** Aedes tells its fan-out to this; the fan-out here is `Deliveries`. */
const NO_FAN_OUT = {
  on: () => undefined,
  removeListener: () => undefined,
  emit: (_packet: unknown, done?: () => void) => done?.(),
  close: (done: () => void) => setImmediate(done),
}

/** Aedes for the protocol; publishing, delivery order, retained values and sessions are ours. Of what is published only wills pass
 * through Aedes: it asks `authorizePublish`. */
export class RecordingBroker extends Aedes {
  readonly #options: RecordingBrokerOptions
  readonly #recorder: Recorder
  readonly #received: ReceivedMessages
  readonly #sessions: SessionKeeper
  readonly #closing = new AbortController()
  readonly #roles = new WeakMap<Client, Role>()
  readonly #packets = new WeakMap<Client, ClientPackets>()
  readonly #turns = new Turns()
  #logStatus: Pick<LogStatus, 'writable'> = { writable: true }
  /** By client id. */
  readonly #connections = new Map<string, Connection>()

  constructor(options: RecordingBrokerOptions) {
    const received = new ReceivedMessages(options.received, (release) => this.#recorder.release(release))
    super({
      id: 'benchlog',
      mq: NO_FAN_OUT,
      persistence: new AedesPersistence(options.deliveries, received),
      maxClientsIdLength: MAX_CLIENT_ID_BYTES,
      connectTimeout: CONNECT_TIMEOUT_MS,
    })
    this.#options = options
    this.#received = received
    const { deliveries, clock, logger, sessionLimits: limits } = options
    this.#sessions = new SessionKeeper({ deliveries, received, clock, logger, limits })
    void this.#sessions.expire(this.#closing.signal)
    this.on('closed', () => this.#closing.abort())
    this.#recorder = new Recorder(options.log, deliveries, ({ client }, error) =>
      logger.error({ client, err: error }, 'a recorded message could not be acknowledged'),
    )
    // What these throw, Aedes would pass on to the process.
    this.authenticate = (client, username, password, done) => {
      this.#roleOf(client, username, password).then(
        (role) => contain(client, () => this.#admit(client, username, role, done)),
        (error: Error) => contain(client, () => done(connackError(error.message, SERVER_UNAVAILABLE), null)),
      )
    }
    this.authorizePublish = (client, will, done) => this.#recordWill(client, will, done)
    this.on('clientReady', (client) => contain(client, () => this.#attach(client)))
    this.on('clientDisconnect', (client) => this.#detach(client))
    this.on('clientError', (client, error) => this.#failed(client, error))
    this.on('connectionError', (client, error) => this.#failed(client, error))
    assertInternals(this, options.logger)
    guardRegistration(this)
    const handle = this.handle
    this.handle = (conn, request) => {
      const client = handle(conn, request)
      this.#packets.set(client, new ClientPackets(client, this.#turns, () => this.#connection(client)))
      return client
    }
  }

  // Aedes calls the next three with and without a client, with and without a callback. What they ask for is done by then.

  /** Called once a client's will is recorded and delivered, and for notes under `$SYS`, which nobody reads. */
  override publish(_packet: unknown, ...clientAndDone: unknown[]): void {
    const done = clientAndDone.at(-1)
    if (typeof done === 'function') done()
  }

  override subscribe(_filter: string, _deliver: unknown, done?: () => void): void {
    done?.()
  }

  /** Without a callback when a subscription is replaced by one with another QoS. */
  override unsubscribe(_filter: string, _deliver: unknown, done?: () => void): void {
    done?.()
  }

  /** The state of the log is published on `$SYS/benchlog/log`, unrecorded but retained. */
  logChanged(status: LogStatus): void {
    const payload = Buffer.from(JSON.stringify(status))
    const message = { topic: logStatusEvent.topic({}), payload, qos: 1, retain: true, client: '', position: 0 } as const
    this.#options.deliveries.deliver(message)
    this.#options.deliveries.flush()
    this.#logStatus = status
    for (const { publisher } of this.#connections.values()) publisher.adaptTo(status)
  }

  sessionCounts(): SessionCounts {
    return this.#sessions.counts()
  }

  /** Resolves when everything that came in is recorded and delivered, or refused. */
  idle(): Promise<void> {
    return this.#recorder.idle()
  }

  /** Null for a wrong name or password. @throws LabError when too many wrong ones came from this address. */
  async #roleOf(client: Client, username: string | undefined, password: Buffer | undefined): Promise<Role | null> {
    const prove = (): Role | null => authenticate(this.#options, username, password)
    return password === undefined ? prove() : this.#options.attempts.check(addressOf(client), prove)
  }

  #admit(
    client: Client,
    username: string | undefined,
    role: Role | null,
    done: (error: AuthenticateError | null, success: boolean | null) => void,
  ): void {
    if (role === null) {
      this.#options.logger.warn({ client: client.id, username }, 'connection refused: wrong user name or password')
      done(connackError('bad user name or password', BAD_CREDENTIALS), null)
      return
    }
    if (this.#isTaken(client.id, role)) {
      done(connackError('identifier rejected', IDENTIFIER_REJECTED), null)
      return
    }
    if (!client.clean && !this.#sessions.admits(client.id)) {
      this.#options.logger.warn(
        { client: client.id, ...this.#sessions.counts() },
        'connection refused: too many sessions',
      )
      done(connackError('too many sessions', SERVER_UNAVAILABLE), null)
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

  #record(client: Client | null, event: NewEvent, settle: (error?: Error | null) => void): void {
    const { topic, retain } = event
    const role = client === null ? 'service' : (this.#roles.get(client) ?? 'client')
    const reason = this.#options.access.refusalOf(role, topic, retain)
    if (reason !== null) {
      this.#recorder.record(this.#refusal(event, reason), settle)
    } else if (this.#isExcluded(topic)) {
      this.#options.deliveries.deliver({ ...event, position: 0 })
      this.#options.deliveries.flush()
      settle()
    } else {
      this.#recorder.record(event, settle)
    }
  }

  #refusal({ client, topic, payload }: NewEvent, reason: string): NewEvent {
    const { unit, clock, logger } = this.#options
    logger.warn({ client, topic, reason }, 'publish refused')
    const refusal: Refusal = { client, topic, bytes: payload.length, reason, timestamp: timestampOf(clock.now()) }
    return {
      topic: refusalEvent.topic({ unit }),
      payload: Buffer.from(refusalEvent.encode(refusal)),
      qos: 1,
      retain: refusalEvent.retained,
      client: '',
    }
  }

  #isExcluded(topic: string): boolean {
    const { recordExclude, access } = this.#options
    return (
      recordExclude.length > 0 && !access.isOurs(topic) && recordExclude.some((filter) => matchesFilter(filter, topic))
    )
  }

  #recordWill(client: Client | null, will: PublishPacket, done: (error?: Error | null) => void): void {
    try {
      this.#record(client, eventOf(client, will), done)
    } catch (error) {
      this.#options.logger.error({ client: client?.id, err: error }, 'a will could not be published')
      done()
    }
  }

  /** Of a client that is here; undefined before it is connected, and when it has gone. */
  #connection(client: Client): Connection | undefined {
    const connection = this.#connections.get(client.id)
    return connection?.client === client && !client.closed ? connection : undefined
  }

  #attach(client: Client): void {
    if (client.closed) return
    const { deliveries, logger } = this.#options
    const failClient = (error: unknown): void => fail(client, error)
    const giveUp = (): void => {
      logger.warn({ client: client.id }, 'connection closed: the client does not read what it subscribed to')
      client.close()
    }
    const sendBuffer = new SendBuffer(client.conn as Duplex, giveUp, failClient)
    const publisher = new Publisher({
      clientId: client.id,
      persistent: !client.clean,
      sendBuffer,
      received: this.#received,
      record: (event, settle) => this.#record(client, event, settle),
      pause: () => this.#packets.get(client)?.pause(),
      resume: () => this.#packets.get(client)?.resume(),
      fail: failClient,
    })
    publisher.adaptTo(this.#logStatus)
    const { subscriber, filters } = deliveries.attach({ clientId: client.id, clean: client.clean, sendBuffer, giveUp })
    const refused = (refusedFilters: readonly string[], reason: string): void => {
      const filter = refusedFilters[0]?.slice(0, 100)
      logger.warn({ client: client.id, filter, filters: refusedFilters.length, reason }, 'subscription refused')
    }
    this.#connections.set(
      client.id,
      new Connection({ client, publisher, subscriber, sendBuffer, deliveries, filters, refused }),
    )
  }

  #detach(client: Client): void {
    const connection = this.#connections.get(client.id)
    if (connection?.client !== client) return
    this.#connections.delete(client.id)
    try {
      connection.end()
    } catch (error) {
      this.#options.logger.error(
        { client: client.id, err: error },
        'the session of a client that left could not be put away',
      )
    }
  }

  /** Every end of a connection that its client did not ask for passes here. */
  #failed(client: Client, error: Error): void {
    const { logger } = this.#options
    if (error instanceof ProtocolViolation || isOfWebSocket(error)) {
      logger.warn({ client: client.id, reason: error.message }, 'connection closed: the client broke the rules of MQTT')
    } else if (isOfConnection(error)) {
      logger.debug({ client: client.id, err: error }, 'connection lost')
    } else {
      logger.error({ client: client.id, err: error }, 'connection closed: what the client asked for failed')
    }
  }
}

/** Undefined on a Unix socket. */
const addressOf = ({ conn, req }: Client): string | undefined =>
  (req?.socket ?? (conn instanceof Socket ? conn : undefined))?.remoteAddress

function connackError(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode }) as AuthenticateError
}

/** Whether a client sent frames that WebSocket forbids. */
const isOfWebSocket = (error: Error): boolean => 'code' in error && String(error.code).startsWith('WS_ERR_')

/** Whether the network, silence or the peer ended a connection: nothing worth a line. */
const isOfConnection = ({ message }: Error): boolean =>
  /^(keep alive timeout|connect did not arrive|connection closed|WebSocket is not open)|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|write after end/.test(
    message,
  )

const eventOf = (client: Client | null, { topic, payload, qos, retain }: PublishPacket): NewEvent => ({
  topic,
  payload: Buffer.from(payload),
  qos,
  retain,
  client: client?.id ?? '',
})

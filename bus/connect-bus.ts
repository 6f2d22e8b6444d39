import { connect } from 'node:net'
import { type IClientOptions, MqttClient } from 'mqtt'
import { withSocketPath } from '../doors/socket-path.js'
import { MAX_PACKET_BYTES } from '../events/limits.js'
import type { BusMessage, Logger, MessageBus, PublishOptions } from '../events/ports.js'
import { MessageTooLarge } from '../events/system/errors.js'
import { matchesFilter } from '../events/topic.js'
import { deadline } from '../primitives/deadline.js'

export interface BusOptions {
  /** Unix socket of the broker. */
  readonly socketPath: string
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  /** Published by the broker, retained, when this connection ends without DISCONNECT. */
  readonly will?: { readonly topic: string; readonly payload: string }
  readonly logger: Logger
}

/** A dead link is noticed after 1.5 times as long [MQTT-3.1.2-24]; the will follows. */
const KEEPALIVE_S = 2
const RECONNECT_MS = 250
/** A client that was cut off while messages were under way may wait for ever for their acknowledgements before it leaves. */
const LEAVE_MS = 1000

/** Opens one MQTT connection and waits until the broker accepted it. Sessions are clean: an order given while nobody listened is never
 * executed later. After a loss the connection comes back by itself, subscribes again and resends what was not acknowledged, so a
 * publisher may be recorded twice and a retained value may be delivered again.
 * @throws Error when the broker refuses or cannot be reached at first. */
export async function connectBus(options: BusOptions): Promise<MessageBus> {
  const { will } = options
  const settings: IClientOptions = {
    clientId: options.clientId,
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    reconnectPeriod: RECONNECT_MS,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1 as const, retain: true } }),
  }
  const client = new MqttClient(() => withSocketPath(options.socketPath, (path) => connect(path)), settings)
  try {
    await firstConnection(client)
  } catch (error) {
    await client.endAsync(true)
    throw error
  }
  return new MqttBus(client, options.logger)
}

function firstConnection(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('The broker closed the connection.')))
  })
}

interface Subscription {
  readonly filter: string
  readonly handler: (message: BusMessage) => void
}

/** Lengths of topic and packet identifier (MQTT 3.1.1 §3.3.2). */
const PUBLISH_HEADER_BYTES = 4

/** The broker would close the connection, and the client would send the message again at every reconnection. */
function refuseOversized(topic: string, payload: string | Uint8Array): void {
  const bytes = PUBLISH_HEADER_BYTES + Buffer.byteLength(topic) + Buffer.byteLength(payload)
  if (bytes <= MAX_PACKET_BYTES) return
  throw new MessageTooLarge(
    `A message of ${bytes} bytes on ${topic} was not sent; the broker takes at most ${MAX_PACKET_BYTES} bytes.`,
  )
}

class MqttBus implements MessageBus {
  readonly #client: MqttClient
  readonly #logger: Logger
  readonly #subscriptions = new Set<Subscription>()
  readonly #listeners = new Set<(connected: boolean) => void>()

  constructor(client: MqttClient, logger: Logger) {
    this.#client = client
    this.#logger = logger
    client.on('message', (topic, payload, packet) => this.#dispatch({ topic, payload, retain: packet.retain }))
    client.on('connect', () => this.#announce(true))
    client.on('close', () => this.#announce(false))
    client.on('error', (error) => logger.warn({ reason: error.message }, 'MQTT connection error'))
  }

  get connected(): boolean {
    return this.#client.connected
  }

  async publish(
    topic: string,
    payload: string | Uint8Array,
    { qos = 1, retain = false }: PublishOptions = {},
  ): Promise<void> {
    const bytes =
      typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    refuseOversized(topic, bytes)
    await this.#client.publishAsync(topic, bytes, { qos, retain })
  }

  async subscribe(filter: string, handler: (message: BusMessage) => void): Promise<() => Promise<void>> {
    const subscription = { filter, handler }
    this.#subscriptions.add(subscription)
    await this.#client.subscribeAsync(filter, { qos: 1 })
    return async () => {
      this.#subscriptions.delete(subscription)
      const stillUsed = [...this.#subscriptions].some((other) => other.filter === filter)
      if (!stillUsed && this.#client.connected) await this.#client.unsubscribeAsync(filter)
    }
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener)
    listener(this.connected)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    // Without a connection DISCONNECT cannot be sent; waiting for one would delay the shutdown.
    const left = this.#client.endAsync(!this.#client.connected)
    await deadline(LEAVE_MS, left, () => this.#client.stream.destroy())
  }

  #dispatch(message: BusMessage): void {
    for (const { filter, handler } of [...this.#subscriptions]) {
      if (!matchesFilter(filter, message.topic)) continue
      try {
        handler(message)
      } catch (error) {
        this.#logger.error({ topic: message.topic, err: error }, 'message handler failed')
      }
    }
  }

  #announce(connected: boolean): void {
    for (const listener of [...this.#listeners]) listener(connected)
  }
}

import { join } from 'node:path'
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'
import { type BrokerOptions, type RunningBroker, startBroker } from '../../broker/start-broker.js'
import { createClock } from '../../clock.js'
import { createAttempts } from '../../doors/attempts.js'
import { openEventLogReader, type PagingEventLogReader } from '../../event-log/reader.js'
import { type OwnedEventLogWriter, openEventLogWriter } from '../../event-log/writer.js'
import type { RecordedEvent } from '../../events/event.js'
import { instruments } from '../../instruments.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

export const UNIT = 'u1'
export const SERVICE: IClientOptions = { username: 'service', password: 'secret' }

export interface TestBroker {
  readonly home: string
  readonly socketPath: string
  readonly port: number
  readonly wsPort: number
  readonly log: OwnedEventLogWriter
  readonly reader: PagingEventLogReader
  readonly sessionCounts: RunningBroker['sessionCounts']
  /** Everything recorded so far. */
  events(): RecordedEvent[]
  stop(): Promise<void>
}

export interface TestBrokerOptions extends Partial<BrokerOptions> {
  /** Directory of an earlier broker, to start it again. */
  readonly home?: string
  readonly maxPages?: number
  /** Bytes of events that may wait for the disk. */
  readonly waitingBytes?: number
}

/** A broker on free ports with a log of its own. The service password is `secret`. */
export async function startTestBroker({
  home = temporaryDirectory(),
  socketPath = join(home, 'broker.sock'),
  maxPages,
  waitingBytes,
  ...options
}: TestBrokerOptions = {}): Promise<TestBroker> {
  const path = join(home, 'event-log.db')
  const clock = createClock()
  const log = await openEventLogWriter({
    path,
    clock,
    logger: silentLogger,
    ...(maxPages === undefined ? {} : { maxPages }),
    ...(waitingBytes === undefined ? {} : { waitingBytes }),
  })
  const reader = openEventLogReader(path)
  const broker: RunningBroker = await startBroker({
    log,
    reader,
    clock,
    logger: silentLogger,
    unit: UNIT,
    host: '127.0.0.1',
    isOwnHost: (name) => name === '127.0.0.1',
    attempts: createAttempts(),
    port: 0,
    wsPort: 0,
    sessionsPath: join(home, 'sessions.db'),
    socketPath,
    servicePassword: 'secret',
    leaderPassword: 'leads',
    workerPassword: 'works',
    names: [UNIT],
    mqttUsername: '',
    mqttPassword: '',
    topics: instruments.map(({ topics }) => topics),
    recordExclude: [],
    ...options,
  })
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      await broker.stop()
      await log.close()
      reader.close()
    })()
    return stopped
  }
  onTestFinished(stop)
  const events = (): RecordedEvent[] => reader.read({ after: 0, limit: 1_000_000 })
  const { port, wsPort, sessionCounts } = broker
  return { home, socketPath, port, wsPort, log, reader, sessionCounts, events, stop }
}

/** A client that does not reconnect by itself, connected; ended after the test. `opening` sees it before it is connected. */
export async function connect(
  broker: Pick<TestBroker, 'port' | 'wsPort'>,
  options: IClientOptions & { readonly webSocket?: boolean } = {},
  opening: (client: MqttClient) => void = () => undefined,
): Promise<MqttClient> {
  const { webSocket = false, ...rest } = options
  const url = webSocket ? `ws://127.0.0.1:${broker.wsPort}/mqtt` : `mqtt://127.0.0.1:${broker.port}`
  const client = mqtt.connect(url, { protocolVersion: 4, reconnectPeriod: 0, ...rest })
  client.on('error', () => undefined)
  opening(client)
  onTestFinished(async () => {
    await client.endAsync(true)
  })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed before it was connected')))
  })
  return client
}

/** What a client receives from now on, in the order of the wire: this client hands out QoS 2 messages only when released. */
export interface Inbox {
  readonly packets: IPublishPacket[]
  /** `topic=payload` of each. */
  readonly texts: string[]
  /** Waits until so many have come. */
  count(expected: number): Promise<void>
}

export function inboxOf(client: MqttClient): Inbox {
  const packets: IPublishPacket[] = []
  const texts: string[] = []
  client.on('packetreceive', (packet) => {
    if (packet.cmd !== 'publish') return
    packets.push(packet)
    texts.push(`${packet.topic}=${packet.payload.toString()}`)
  })
  const count = (expected: number): Promise<void> =>
    eventually(() => {
      if (texts.length < expected) throw new Error(`${texts.length} of ${expected} messages came`)
    })
  return { packets, texts, count }
}

/** Waits until the connection is closed. */
export const closed = (client: MqttClient): Promise<void> =>
  client.connected || client.stream?.destroyed !== true
    ? new Promise((resolve) => client.once('close', () => resolve()))
    : Promise.resolve()

export const textsOf = (events: readonly RecordedEvent[]): string[] =>
  events.map(({ topic, payload }) => `${topic}=${Buffer.from(payload).toString()}`)

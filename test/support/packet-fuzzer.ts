import { get as httpGet } from 'node:http'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { createWebSocketStream, WebSocket } from 'ws'
import { connectPacket, packet, text } from '../broker/malformed-packets.js'

/** What one broken or malicious client does. */
interface FuzzedClient {
  /** `frames`: over a WebSocket, without regard for its frames. */
  readonly transport: 'tcp' | 'webSocket' | 'frames'
  readonly chunks: readonly Buffer[]
  readonly reads: boolean
  /** Leaves at once, or waits for answers. */
  readonly leaves: boolean
}

const identifier = fc.integer({ min: 0, max: 40 }).map((id) => [0, id])
const topic = fc.constantFrom(
  'fuzz',
  'fuzz/a',
  'fuzz/a/b',
  'fuzz//b',
  'fuzz/Ω',
  '$SYS/a',
  'system/lab/x',
  'fuzz/deep'.padEnd(900, '/x'),
)
const filter = fc.constantFrom(
  '#',
  '+',
  'fuzz/#',
  'fuzz/+/b',
  '+/a',
  '$SYS/#',
  '$share/g/fuzz/#',
  '/',
  'ab/+e',
  'a/#/b',
  '+/'.repeat(200),
)
const payload = fc
  .oneof(
    { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 30 },
    // One that comes in several chunks: rare, because this is no flood.
    { arbitrary: fc.constantFrom(1000, 70_000).map((length) => new Uint8Array(length)), weight: 1 },
  )
  .map((bytes) => Buffer.from(bytes))
const qos = fc.constantFrom(0, 1, 2)

/** Also longer ones than the table's packets have. */
const long = (first: number, ...fields: readonly (number | readonly number[] | Buffer)[]): Buffer => {
  const body = Buffer.concat(fields.map((field) => (typeof field === 'number' ? Buffer.of(field) : Buffer.from(field))))
  const { length } = body
  return Buffer.concat([Buffer.of(first, (length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14), body])
}

/** A few names, so that clients push each other out and come back to sessions of each other. */
const connects = fc
  .record({
    name: fc.integer({ min: 0, max: 7 }),
    flags: fc.constantFrom(0, 2, 2, 2, 4, 6, 14, 22, 36, 128, 194),
    keepalive: fc.constantFrom(0, 1, 60),
    old: fc.boolean(),
  })
  .map(({ name, flags, keepalive, old }) =>
    connectPacket(
      ...(old ? [text('MQIsdp'), 3] : [text('MQTT'), 4]),
      flags,
      [0, keepalive],
      text(`fuzz-${name}`),
      ...((flags & 4) === 0 ? [] : [text('fuzz/will'), text('gone')]),
      ...((flags & 128) === 0 ? [] : [text('somebody')]),
      ...((flags & 64) === 0 ? [] : [text('secret')]),
    ),
  )
const publishes = fc
  .record({ topic, payload, qos, retain: fc.boolean(), dup: fc.boolean(), identifier })
  .map((message) =>
    long(
      0x30 | (message.dup ? 8 : 0) | (message.qos << 1) | (message.retain ? 1 : 0),
      text(message.topic),
      message.qos === 0 ? [] : message.identifier,
      message.payload,
    ),
  )
const subscribes = fc
  .tuple(identifier, fc.array(fc.tuple(filter, qos), { minLength: 1, maxLength: 5 }))
  .map(([id, filters]) => long(0x82, id, ...filters.flatMap(([name, level]) => [text(name), level])))
const unsubscribes = fc.tuple(identifier, filter).map(([id, name]) => long(0xa2, id, text(name)))
const acknowledgements = fc
  .tuple(fc.constantFrom(0x40, 0x50, 0x62, 0x70), identifier)
  .map(([first, id]) => packet(first, id))
const empty = fc.constantFrom(0xc0, 0xe0, 0xd0, 0x00, 0xf0).map((first) => packet(first))
const anything = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))

const sent = fc.oneof(
  { arbitrary: publishes, weight: 6 },
  { arbitrary: subscribes, weight: 3 },
  { arbitrary: acknowledgements, weight: 4 },
  { arbitrary: unsubscribes, weight: 1 },
  { arbitrary: empty, weight: 1 },
  { arbitrary: connects, weight: 1 },
  { arbitrary: anything, weight: 1 },
)

type Mutation = (bytes: Buffer) => Buffer

const place = fc.nat(100_000)
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (bytes) =>
        bytes.map((byte, i) => (i === at % bytes.length ? byte ^ (1 << bit) : byte)) as Buffer,
  ),
  fc.tuple(place, fc.nat(255)).map(
    ([at, value]): Mutation =>
      (bytes) =>
        bytes.map((byte, i) => (i === at % bytes.length ? value : byte)) as Buffer,
  ),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
  fc.tuple(place, anything).map(
    ([at, more]): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at % bytes.length), more, bytes.subarray(at % bytes.length)]),
  ),
  fc.tuple(place, fc.nat(8)).map(
    ([at, length]): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at % bytes.length), bytes.subarray((at % bytes.length) + length)]),
  ),
  // A length that is not true.
  fc.uint8Array({ minLength: 1, maxLength: 5 }).map(
    (length): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, 1), length, bytes.subarray(2)]),
  ),
  fc.constant<Mutation>((bytes) => Buffer.concat([bytes, bytes])),
)

const packets = fc
  .tuple(sent, fc.option(mutation, { freq: 4 }))
  .map(([bytes, mutate]) => (mutate === null || bytes.length === 0 ? bytes : mutate(bytes)))

const clients: fc.Arbitrary<FuzzedClient> = fc
  .record({
    first: fc
      .tuple(connects, fc.option(mutation, { freq: 8 }))
      .map(([bytes, mutate]) => (mutate === null ? bytes : mutate(bytes))),
    more: fc.array(packets, { maxLength: 12 }),
    cuts: fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5000 })), {
      minLength: 1,
      maxLength: 8,
    }),
    transport: fc.constantFrom('tcp' as const, 'tcp' as const, 'webSocket' as const, 'frames' as const),
    reads: fc.boolean(),
    leaves: fc.boolean(),
  })
  .map(({ first, more, cuts, ...rest }) => ({ ...rest, chunks: cut(Buffer.concat([first, ...more]), cuts) }))

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i] ?? 20_000
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}

export interface BrokerPorts {
  readonly port: number
  readonly wsPort: number
}

/** How long a client waits for what comes. */
const LINGER_MS = 40
const AT_ONCE = 6

/** Clients that send mutations of valid packets, some at a time: a thousand a round, the same ones for the same seed.
 * @param goesOn asked before each client
 * @returns how many clients there were */
export async function fuzzPackets(ports: BrokerPorts, seed: number, goesOn: () => boolean): Promise<number> {
  let count = 0
  for (let round = seed; goesOn(); round++) {
    const queue = fc.sample(clients, { seed: round, numRuns: 1000 })
    const work = async (): Promise<void> => {
      for (let client = queue.pop(); client !== undefined && goesOn(); client = queue.pop()) {
        count++
        await play(client, ports)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }
  return count
}

async function play({ transport, chunks, reads, leaves }: FuzzedClient, ports: BrokerPorts): Promise<void> {
  const stream = await open[transport](ports)
  const gone = new Promise<void>((resolve) => stream.once('close', () => resolve()))
  stream.on('error', () => undefined)
  if (reads) stream.resume()
  for (const chunk of chunks) {
    if (!stream.writable) break
    stream.write(chunk)
    await nextTurn()
  }
  if (!leaves) await Promise.race([gone, delay(LINGER_MS)])
  stream.destroy()
}

const open: Record<FuzzedClient['transport'], (ports: BrokerPorts) => Promise<Duplex>> = {
  tcp: async ({ port }) => connectTcp(port, '127.0.0.1'),
  webSocket: async ({ wsPort }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${wsPort}/mqtt`, 'mqtt')
    return createWebSocketStream(socket)
  },
  frames: ({ wsPort }) =>
    new Promise((resolve, reject) => {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Protocol': 'mqtt',
      }
      const request = httpGet({ host: '127.0.0.1', port: wsPort, path: '/mqtt', headers })
      request.once('upgrade', (_response, socket) => resolve(socket))
      request.once('error', reject)
    }),
}

import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { generate, parser as newParser } from 'mqtt-packet'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.js'
import { residentMebibytes } from '../support/process-memory.js'
import { recordingLogger } from '../support/recording-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, inboxOf, startTestBroker, type TestBroker } from './test-broker.js'

/** Bytes a client sends to subscribe to everything of the lab. */
const greeting = (clientId: string): Buffer =>
  Buffer.concat([
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 0 }),
    generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lab/#', qos: 0 }] }),
  ])
/** Of CONNACK and SUBACK. */
const WELCOME_BYTES = 4 + 5

interface Stalled {
  /** Reads on until the broker has closed the connection. @returns bytes received */
  readOn(): Promise<number>
}

/** A client that subscribes and then stops reading. */
async function stall(
  source: Pick<Socket | WebSocket, 'pause' | 'resume' | 'once'>,
  onBytes: (listener: (bytes: Buffer) => void) => void,
): Promise<Stalled> {
  let received = 0
  await new Promise<void>((resolve) => {
    onBytes((bytes) => {
      received += bytes.length
      if (received >= WELCOME_BYTES) resolve()
    })
  })
  source.pause()
  const gone = new Promise<void>((resolve) => source.once('close', () => resolve()))
  return {
    async readOn() {
      source.resume()
      await gone
      return received
    },
  }
}

function stallTcp({ port }: TestBroker): Promise<Stalled> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(greeting('stalled-tcp'))
  return stall(socket, (listener) => socket.on('data', listener))
}

async function stallWebSocket({ wsPort }: TestBroker): Promise<Stalled> {
  const socket = new WebSocket(`ws://127.0.0.1:${wsPort}`, 'mqtt')
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(greeting('stalled-ws'))
  return stall(socket, (listener) => socket.on('message', listener))
}

/** Calls `send` for 0 … total - 1 at a steady rate; after a delay it catches up. */
async function pace(perSecond: number, total: number, send: (index: number) => void): Promise<void> {
  const start = performance.now()
  for (let sent = 0; sent < total; await delay(1)) {
    const due = Math.min(total, Math.ceil(((performance.now() - start) / 1000) * perSecond))
    while (sent < due) send(sent++)
  }
}

test('at 4000 messages/s subscribers that stop reading are cut off, and others and the log get everything in log order', async () => {
  const logger = recordingLogger()
  const broker = await startTestBroker({ logger })
  const stalled = await Promise.all([stallTcp(broker), stallWebSocket(broker)])
  const readers = await Promise.all([false, true].map((webSocket) => connect(broker, { webSocket })))
  const inboxes = readers.map(inboxOf)
  for (const [qos, reader] of readers.entries()) await reader.subscribeAsync('lab/#', { qos: qos as 0 | 1 })
  const publisher = await connect(broker)
  // 16 MB: more than the sockets' buffers and the limit together.
  const total = 8000
  const payload = 'x'.repeat(2000)
  const published: Promise<unknown>[] = []
  await pace(4000, total, (i) => published.push(publisher.publishAsync(`lab/${i}`, payload, { qos: 1 })))
  await Promise.all(published)
  await Promise.all(inboxes.map((inbox) => inbox.count(total)))

  const logged = broker.events().map(({ topic }) => topic)
  expect(logged).toEqual(Array.from({ length: total }, (_, i) => `lab/${i}`))
  for (const { packets } of inboxes) expect(packets.map(({ topic }) => topic)).toEqual(logged)
  const cutOff = logger.lines.filter(({ message }) => message.includes('does not read')).map(({ fields }) => fields)
  expect(cutOff).toHaveLength(2)
  expect(cutOff).toEqual(expect.arrayContaining([{ client: 'stalled-tcp' }, { client: 'stalled-ws' }]))
  for (const { readOn } of stalled) expect(await readOn()).toBeLessThan(total * payload.length)
})

test('a subscriber gets all retained values, however many bytes they are', async () => {
  const broker = await startTestBroker()
  const publisher = await connect(broker)
  const payload = 'x'.repeat(20_000)
  const total = 200
  await Promise.all(
    Array.from({ length: total }, (_, i) =>
      publisher.publishAsync(`lab/${i}`, `${i} ${payload}`, { qos: 1, retain: true }),
    ),
  )
  const client = await connect(broker)
  const inbox = inboxOf(client)
  await client.subscribeAsync('lab/#', { qos: 1 })
  await publisher.publishAsync('lab/live', 'after', { qos: 1 })
  await inbox.count(total + 1)
  expect(new Set(inbox.packets.map(({ topic }) => topic)).size).toBe(total + 1)
  expect(client.connected).toBe(true)
})

test('a connection that never says anything keeps nobody waiting', async () => {
  const broker = await startTestBroker()
  const mute = connectTcp(broker.port, '127.0.0.1')
  const client = await connect(broker)
  await client.publishAsync('lab/a', 'x', { qos: 1 })
  mute.destroy()
})

/** Asks for everything retained again and again, and acknowledges nothing of what comes.
 * @param onBytes undefined: it reads nothing either */
async function askWithoutEnd(
  { port }: { readonly port: number },
  clean: boolean,
  onBytes?: (bytes: Buffer) => void,
): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean, clientId: 'greedy', keepalive: 0 }),
  )
  await new Promise((resolve) => socket.once('data', resolve))
  if (onBytes === undefined) socket.pause()
  else socket.on('data', onBytes)
  for (let messageId = 1; messageId <= 1000; messageId++) {
    socket.write(generate({ cmd: 'subscribe', messageId, subscriptions: [{ topic: 'lab/#', qos: 1 }] }))
    await new Promise(setImmediate)
  }
  return socket
}

test.each([
  ['a clean', true],
  ['a persistent', false],
])(
  'a client that asks for 2 GB of retained values and reads nothing costs no memory, in %s session',
  async (_, clean) => {
    const broker = await spawnBroker(temporaryDirectory())
    const publisher = await connect(broker)
    await Promise.all(
      Array.from({ length: 400 }, (_unused, i) =>
        publisher.publishAsync(`lab/${i}`, 'x'.repeat(5_000), { qos: 1, retain: true }),
      ),
    )
    const before = residentMebibytes(Number(broker.child.pid))
    await askWithoutEnd(broker, clean)
    await publisher.publishAsync('door/0', 'goes on', { qos: 1 })
    expect(residentMebibytes(Number(broker.child.pid)) - before).toBeLessThan(60)
  },
)

test.each([true, false])(
  'a client that acknowledges nothing gets a window of retained values, however often it asks; clean session: %s',
  async (clean) => {
    const broker = await startTestBroker()
    const publisher = await connect(broker)
    await Promise.all(
      Array.from({ length: 400 }, (_unused, i) => publisher.publishAsync(`lab/${i}`, 'x', { qos: 1, retain: true })),
    )
    const received: number[] = []
    const parser = newParser()
    parser.on('packet', (packet) => {
      if (packet.cmd === 'publish') received.push(packet.messageId ?? 0)
    })
    const socket = await askWithoutEnd(broker, clean, (bytes) => parser.parse(bytes))
    for (let window = 1; window <= 3; window++) {
      await eventually(() => expect(received.length).toBe(500))
      await publisher.publishAsync('door/0', 'nothing more comes meanwhile', { qos: 1 })
      expect(received.length).toBe(500)
      for (const messageId of received.splice(0)) socket.write(generate({ cmd: 'puback', messageId }))
    }
  },
)

import { connect as connectTcp } from 'node:net'
import { generate } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { connect, inboxOf, startTestBroker, type TestBroker } from './test-broker.js'

const HELLO = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  clientId: 'stalled',
  keepalive: 0,
})
const SUBSCRIBE = generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lab/#', qos: 0 }] })

/** A client that subscribes and then stops reading. The function reads on and resolves when the broker has closed the connection. */
async function stallTcp({ port }: TestBroker): Promise<() => Promise<void>> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(HELLO)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.write(SUBSCRIBE)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return () => {
    socket.resume()
    return gone
  }
}

async function stallWebSocket({ wsPort }: TestBroker): Promise<() => Promise<void>> {
  const socket = new WebSocket(`ws://127.0.0.1:${wsPort}`, 'mqtt')
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(HELLO)
  await new Promise((resolve) => socket.once('message', resolve))
  socket.send(SUBSCRIBE)
  await new Promise((resolve) => socket.once('message', resolve))
  socket.pause()
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return () => {
    socket.resume()
    return gone
  }
}

test.each([
  ['TCP', stallTcp],
  ['WebSocket', stallWebSocket],
])('a subscriber that stops reading over %s harms nobody and is let go', async (_, stall) => {
  const broker = await startTestBroker()
  const readOn = await stall(broker)
  const reader = await connect(broker)
  const inbox = inboxOf(reader)
  await reader.subscribeAsync('lab/#', { qos: 1 })
  const publisher = await connect(broker)
  // 16 MB: more than the sockets' buffers and the limit together.
  const payload = 'x'.repeat(4000)
  const total = 4000
  for (let sent = 0; sent < total; sent += 200) {
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => publisher.publishAsync(`lab/${sent + i}`, payload, { qos: 1 })),
    )
  }
  await inbox.count(total)
  expect(inbox.packets.map(({ topic }) => topic)).toEqual(broker.events().map(({ topic }) => topic))
  await readOn()
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
  expect(inbox.texts.at(-1)).toBe('lab/live=after')
  expect(client.connected).toBe(true)
})

test('a connection that never says anything keeps nobody waiting', async () => {
  const broker = await startTestBroker()
  const mute = connectTcp(broker.port, '127.0.0.1')
  const client = await connect(broker)
  await client.publishAsync('lab/a', 'x', { qos: 1 })
  mute.destroy()
})

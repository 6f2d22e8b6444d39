import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'
import { type RawClient, rawClient } from './raw-client.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, inboxOf, startTestBroker } from './test-broker.js'

/** Keeps so many retained values, on topics `lab/<i % 100>/<i>`. */
async function fill(publisher: MqttClient, total: number): Promise<void> {
  for (let from = 0; from < total; from += 5000) {
    await Promise.all(
      Array.from({ length: Math.min(5000, total - from) }, (_, i) =>
        publisher.publishAsync(`lab/${(from + i) % 100}/${from + i}`, '1', { qos: 1, retain: true }),
      ),
    )
  }
}

/** Acknowledges messages of QoS 1 from the given one on. @returns how many have come */
function acknowledge(client: RawClient, from: number): number {
  for (const { messageId } of client.messages.slice(from)) client.answer('puback', messageId)
  return client.messages.length
}

test('a persistent session gets more retained values than there are packet identifiers, and others are answered meanwhile', async () => {
  const total = 66_000
  const broker = await spawnBroker(temporaryDirectory())
  const publisher = await connect(broker)
  await fill(publisher, total)
  const many = rawClient(broker, { clientId: 'many' })
  await many.subscribe('#', 1)
  const others = Array.from({ length: 20 }, (_, i) => everythingInBytes(broker, `other ${i}`, i % 2 === 0))
  const topics = new Set<string>()
  let longestMs = 0
  let acknowledged = 0
  while (topics.size < total) {
    const before = performance.now()
    await publisher.publishAsync('door', 'x', { qos: 1 })
    longestMs = Math.max(longestMs, performance.now() - before)
    for (const { topic, retain } of many.messages.slice(acknowledged)) if (retain) topics.add(topic)
    acknowledged = acknowledge(many, acknowledged)
  }
  await until(() => others.every((bytes) => bytes() > total * '..lab/00/0'.length), 'the other replays', 60_000)
  // All at once, 20 replays stopped everybody for seconds.
  expect(longestMs).toBeLessThan(1000)
}, 150_000)

/** A client that subscribes to everything. @returns how many bytes it has got */
function everythingInBytes({ port }: { readonly port: number }, clientId: string, clean: boolean): () => number {
  const socket = connectTcp(port, '127.0.0.1')
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean, clientId, keepalive: 0 }))
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] }))
  return () => bytes
}

test.each([
  ['clean', 0],
  ['clean', 1],
  ['persistent', 1],
  ['persistent', 2],
] as const)(
  'a value that changes during a replay never comes before an older one: %s session, QoS %i',
  async (kind, qos) => {
    const broker = await startTestBroker()
    const publisher = await connect(broker)
    const topics = 3000
    const round = async (value: number): Promise<void> => {
      const publish = (i: number): Promise<unknown> =>
        publisher.publishAsync(`lab/${i}`, `${value}`, { qos: 2, retain: true })
      for (let from = 0; from < topics; from += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, i) => publish(from + i)))
      }
    }
    const options = { clientId: 'watcher', clean: kind === 'clean' }
    await round(1)
    if (kind === 'persistent') {
      // Behind the log when it asks for the retained values.
      const before = await connect(broker, options)
      await before.subscribeAsync('lab/#', { qos })
      await before.endAsync()
    }
    await round(2)
    const changing = (async () => {
      for (let value = 3; value < 7; value++) await round(value)
    })()
    const client = await connect(broker, options)
    const inbox = inboxOf(client)
    await client.subscribeAsync('lab/+', { qos })
    await changing
    await publisher.publishAsync('lab/end', 'x', { qos: 1 })
    await until(() => inbox.texts.at(-1) === 'lab/end=x', 'the end')
    const newest = new Map<string, number>()
    const overtaken: string[] = []
    for (const { topic, payload } of inbox.packets) {
      const value = Number(payload.toString())
      if (value < (newest.get(topic) ?? 0)) overtaken.push(`${topic}: ${value} after ${newest.get(topic)}`)
      newest.set(topic, value)
    }
    newest.delete('lab/end')
    expect(overtaken).toEqual([])
    expect(newest.size).toBe(topics)
    expect(new Set(newest.values())).toEqual(new Set([6]))
  },
  60_000,
)

test('a replay that a kill interrupted begins anew when the client comes back, and is not repeated once it was complete', async () => {
  const total = 1200
  const home = temporaryDirectory()
  const before = await spawnBroker(home)
  await fill(await connect(before), total)
  const client = rawClient(before)
  await client.subscribe('lab/#', 1)
  await eventually(() => expect(client.messages.length).toBe(500))
  acknowledge(client, 0)
  await eventually(() => expect(client.messages.length).toBe(1000))
  before.child.kill('SIGKILL')
  await once(before.child, 'exit')

  const after = await spawnBroker(home)
  const again = rawClient(after)
  let acknowledged = 0
  await eventually(() => {
    acknowledged = acknowledge(again, acknowledged)
    expect(new Set(again.messages.map(({ topic }) => topic)).size).toBe(total)
  })
  const saved = performance.now() + 1200
  await eventually(() => expect(performance.now()).toBeGreaterThan(saved))
  after.child.kill('SIGKILL')
  await once(after.child, 'exit')
  const last = await spawnBroker(home)
  const complete = rawClient(last)
  await complete.until('connack')
  await (await connect(last)).publishAsync('lab/end', 'x', { qos: 1 })
  await eventually(() => expect(complete.messages.map(({ topic }) => topic)).toEqual(['lab/end']))
}, 60_000)

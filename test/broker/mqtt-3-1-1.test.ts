import { connect as connectTcp } from 'node:net'
import mqtt from 'mqtt'
import { writeToStream } from 'mqtt-packet'
import { describe, expect, onTestFinished, test } from 'vitest'
import { closed, connect, inboxOf, SERVICE, startTestBroker, textsOf } from './test-broker.js'

/** The behaviours that the Eclipse Paho interoperability suite for MQTT 3.1.1 names, through a real client. */

test.each([false, true])('delivers what is published, over WebSocket: %s', async (webSocket) => {
  const broker = await startTestBroker()
  const subscriber = await connect(broker, { webSocket })
  const inbox = inboxOf(subscriber)
  await subscriber.subscribeAsync('lab/#', { qos: 2 })
  const publisher = await connect(broker, { webSocket })
  for (const qos of [0, 1, 2] as const) await publisher.publishAsync('lab/a', `qos ${qos}`, { qos })
  await inbox.count(3)
  expect(inbox.packets.map(({ qos, retain, payload }) => [qos, retain, payload.toString()])).toEqual([
    [0, false, 'qos 0'],
    [1, false, 'qos 1'],
    [2, false, 'qos 2'],
  ])
  expect(textsOf(broker.events())).toEqual(['lab/a=qos 0', 'lab/a=qos 1', 'lab/a=qos 2'])
})

test('lowers the QoS to what was granted, also for wildcard filters', async () => {
  const broker = await startTestBroker()
  const qosOf = async (subscribe: Record<string, { qos: 0 | 1 | 2 }>): Promise<number | undefined> => {
    const client = await connect(broker)
    const inbox = inboxOf(client)
    await client.subscribeAsync(subscribe)
    await client.publishAsync('lab/q', 'x', { qos: 2 })
    await inbox.count(1)
    return inbox.packets[0]?.qos
  }
  expect(await qosOf({ 'lab/+': { qos: 0 } })).toBe(0)
  expect(await qosOf({ 'lab/+': { qos: 1 } })).toBe(1)
  expect(await qosOf({ 'lab/q': { qos: 0 }, 'lab/#': { qos: 1 } })).toBe(1)
})

test('overlapping subscriptions deliver a message once, with the highest QoS granted', async () => {
  const broker = await startTestBroker()
  const client = await connect(broker)
  const inbox = inboxOf(client)
  await client.subscribeAsync({ 'lab/#': { qos: 2 }, 'lab/+': { qos: 1 }, 'lab/a': { qos: 0 } })
  await client.publishAsync('lab/a', '1', { qos: 2 })
  await client.publishAsync('lab/end', '2', { qos: 2 })
  await inbox.count(2)
  expect(inbox.packets.map(({ topic, qos }) => [topic, qos])).toEqual([
    ['lab/a', 2],
    ['lab/end', 2],
  ])
})

test('ends a subscription', async () => {
  const broker = await startTestBroker()
  const client = await connect(broker)
  const inbox = inboxOf(client)
  await client.subscribeAsync(['lab/a', 'lab/b'], { qos: 1 })
  await client.unsubscribeAsync('lab/a')
  await client.publishAsync('lab/a', 'unheard', { qos: 1 })
  await client.publishAsync('lab/b', 'heard', { qos: 1 })
  await inbox.count(1)
  expect(inbox.texts).toEqual(['lab/b=heard'])
})

describe('retained values', () => {
  test('come with the retain flag at subscription and without it live; an empty payload clears', async () => {
    const broker = await startTestBroker()
    const publisher = await connect(broker)
    await publisher.publishAsync('lab/a/1', 'one', { qos: 1, retain: true })
    await publisher.publishAsync('lab/a/2', 'two', { qos: 2, retain: true })
    await publisher.publishAsync('lab/a/3', 'three', { qos: 1, retain: true })
    await publisher.publishAsync('lab/a/3', '', { qos: 1, retain: true })
    const client = await connect(broker)
    const inbox = inboxOf(client)
    await client.subscribeAsync('lab/+/+', { qos: 1 })
    await inbox.count(2)
    await publisher.publishAsync('lab/a/1', 'live', { qos: 1, retain: true })
    await inbox.count(3)
    expect(inbox.packets.map(({ topic, payload, retain, qos }) => [topic, payload.toString(), retain, qos])).toEqual([
      ['lab/a/1', 'one', true, 1],
      ['lab/a/2', 'two', true, 1],
      ['lab/a/1', 'live', false, 1],
    ])
  })

  test('come once for several filters of one SUBSCRIBE and again for a repeated one', async () => {
    const broker = await startTestBroker()
    const client = await connect(broker)
    await client.publishAsync('lab/a', 'one', { qos: 1, retain: true })
    const inbox = inboxOf(client)
    await client.subscribeAsync(['lab/a', 'lab/#', '+/a'], { qos: 1 })
    await client.subscribeAsync('lab/a', { qos: 1 })
    await inbox.count(2)
    await client.publishAsync('lab/a', 'two', { qos: 1 })
    await inbox.count(3)
    expect(inbox.texts).toEqual(['lab/a=one', 'lab/a=one', 'lab/a=two'])
  })
})

describe('wills', () => {
  const will = { topic: 'lab/will', payload: Buffer.from('gone'), qos: 1, retain: true } as const

  test('are published and recorded when a connection dies', async () => {
    const broker = await startTestBroker()
    const watcher = await connect(broker)
    const inbox = inboxOf(watcher)
    await watcher.subscribeAsync('lab/will', { qos: 1 })
    const mortal = await connect(broker, { clientId: 'mortal', will })
    mortal.stream.destroy()
    await inbox.count(1)
    expect(inbox.texts).toEqual(['lab/will=gone'])
    const [event] = broker.events()
    expect(event).toMatchObject({ topic: 'lab/will', client: 'mortal', qos: 1, retain: true })
  })

  test('are not published after a clean goodbye', async () => {
    const broker = await startTestBroker()
    const polite = await connect(broker, { will })
    await polite.endAsync()
    const client = await connect(broker)
    await client.publishAsync('lab/after', 'x', { qos: 1 })
    expect(textsOf(broker.events())).toEqual(['lab/after=x'])
  })

  test('are published when the keep-alive time passes without a sign of life', async () => {
    const broker = await startTestBroker()
    const watcher = await connect(broker)
    const inbox = inboxOf(watcher)
    await watcher.subscribeAsync('lab/will', { qos: 1 })
    const socket = connectTcp(broker.port, '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    writeToStream(
      { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: 'mute', keepalive: 1, will },
      socket,
    )
    await inbox.count(1)
    expect(inbox.texts).toEqual(['lab/will=gone'])
  })
})

describe('client ids', () => {
  test('an empty one is given a name when the session is clean', async () => {
    const broker = await startTestBroker()
    const client = await connect(broker, { clientId: '', clean: true })
    await client.publishAsync('lab/a', 'x', { qos: 1 })
    expect(broker.events()[0]?.client).not.toBe('')
  })

  test('an empty one is refused for a persistent session, with return code 2', async () => {
    const broker = await startTestBroker()
    const socket = connectTcp(broker.port, '127.0.0.1')
    // CONNECT, protocol MQTT level 4, no flags, keep alive 0, empty client id.
    socket.write(Uint8Array.of(0x10, 12, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 0, 0, 0))
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    expect([...answer]).toEqual([0x20, 2, 0, 2])
    await new Promise((resolve) => socket.once('close', resolve))
  })

  test('a second connection with the same id takes the place of the first', async () => {
    const broker = await startTestBroker()
    const first = await connect(broker, { clientId: 'twin' })
    const gone = closed(first)
    const second = await connect(broker, { clientId: 'twin' })
    await gone
    const inbox = inboxOf(second)
    await second.subscribeAsync('lab/a', { qos: 1 })
    await second.publishAsync('lab/a', 'x', { qos: 1 })
    await inbox.count(1)
  })

  test('an outside client cannot take the place of a service', async () => {
    const broker = await startTestBroker()
    const service = await connect(broker, { clientId: 'stirring', ...SERVICE })
    await expect(connect(broker, { clientId: 'stirring' })).rejects.toThrow(/[Ii]dentifier rejected/)
    await service.publishAsync('pioreactor/u1/e/stirring/$state', 'ready', { qos: 1 })
  })
})

describe('topics that begin with $', () => {
  test('are not matched by wildcards at the first level', async () => {
    const broker = await startTestBroker()
    const client = await connect(broker)
    const inbox = inboxOf(client)
    await client.subscribeAsync(['#', '+/benchlog/log'], { qos: 1 })
    await client.publishAsync('lab/a', 'x', { qos: 1 })
    await inbox.count(1)
    expect(inbox.texts).toEqual(['lab/a=x'])
  })

  test('$SYS/benchlog/log says that the log can be written', async () => {
    const broker = await startTestBroker()
    const client = await connect(broker)
    const inbox = inboxOf(client)
    await client.subscribeAsync('$SYS/#', { qos: 1 })
    await inbox.count(1)
    expect(JSON.parse(inbox.packets[0]?.payload.toString() ?? '')).toMatchObject({
      writable: true,
      position: 0,
      reason: null,
    })
    expect(broker.events()).toEqual([])
  })
})

test('a packet larger than 1 MiB closes the connection and nothing else', async () => {
  const broker = await startTestBroker()
  for (const webSocket of [false, true]) {
    const client = await connect(broker, { webSocket })
    const gone = closed(client)
    client.publish('lab/big', Buffer.alloc(1_100_000), { qos: 1 })
    await gone
  }
  const socket = connectTcp(broker.port, '127.0.0.1')
  // Type and remaining length of a CONNECT of 256 MB.
  socket.write(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f))
  await new Promise((resolve) => socket.once('close', resolve))
  const client = await connect(broker)
  await client.publishAsync('lab/large', Buffer.alloc(1_000_000), { qos: 1 })
  expect(broker.events().map(({ topic, payload }) => [topic, payload.length])).toEqual([['lab/large', 1_000_000]])
})

test('garbage closes the connection', async () => {
  const broker = await startTestBroker()
  const socket = connectTcp(broker.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  await connect(broker)
})

test('a newer protocol is refused with return code 1', async () => {
  const broker = await startTestBroker()
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 5, reconnectPeriod: 0 })
  const error = await new Promise<Error & { code?: number }>((resolve) => client.once('error', resolve))
  await client.endAsync(true)
  expect(error.code).toBe(1)
})

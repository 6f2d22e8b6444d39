import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { generate, parser as newParser } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { connect, inboxOf, startTestBroker, textsOf } from './test-broker.js'

test.each([false, true])(
  'one publisher mixing retained and unretained messages of all QoS: nothing lost, all in log order; WebSocket: %s',
  async (webSocket) => {
    const broker = await startTestBroker()
    const live = await connect(broker, { webSocket })
    const inbox = inboxOf(live)
    await live.subscribeAsync('lab/#', { qos: 2 })
    const publisher = await connect(broker, { webSocket })
    const total = 3000
    const published = Array.from({ length: total }, (_, i) =>
      publisher.publishAsync(`lab/${i % 7}`, String(i), { qos: (i % 3) as 0 | 1 | 2, retain: i % 2 === 0 }),
    )
    await Promise.all(published)
    await inbox.count(total)
    const events = broker.events()
    expect(inbox.texts).toEqual(textsOf(events))
    // MQTT keeps the order within one QoS; QoS 2 messages of this client go out as it sends them.
    expect(new Set(inbox.texts).size).toBe(total)

    const lastRetained = new Map(
      events.filter(({ retain }) => retain).map((event) => [event.topic, textsOf([event])[0]]),
    )
    const late = await connect(broker)
    const retained = inboxOf(late)
    await late.subscribeAsync('lab/#', { qos: 1 })
    await retained.count(lastRetained.size)
    expect([...retained.texts].sort()).toEqual([...lastRetained.values()].sort())
  },
)

test('subscribers see many publishers in the order of the log', async () => {
  const broker = await startTestBroker()
  const subscribers = await Promise.all([0, 1, 2].map(() => connect(broker)))
  const inboxes = subscribers.map(inboxOf)
  await Promise.all(subscribers.map((client, qos) => client.subscribeAsync('lab/#', { qos: qos as 0 | 1 | 2 })))
  const publishers = await Promise.all(Array.from({ length: 5 }, () => connect(broker)))
  await Promise.all(
    publishers.flatMap((publisher, p) =>
      Array.from({ length: 200 }, (_, i) =>
        publisher.publishAsync(`lab/${p}`, `${i}`, { qos: 1, retain: i % 5 === 0 }),
      ),
    ),
  )
  await Promise.all(inboxes.map((inbox) => inbox.count(1000)))
  const logged = textsOf(broker.events())
  for (const inbox of inboxes) expect(inbox.texts).toEqual(logged)
})

test('what a publisher sent before its connection died is recorded and delivered', async () => {
  const broker = await startTestBroker()
  const watcher = await connect(broker)
  const inbox = inboxOf(watcher)
  await watcher.subscribeAsync('lab/#', { qos: 1 })
  const packets = Array.from({ length: 20 }, (_, i) =>
    generate({
      cmd: 'publish',
      topic: 'lab/last',
      payload: String(i),
      qos: 1,
      messageId: i + 1,
      dup: false,
      retain: false,
    }),
  )
  const socket = connectTcp(broker.port, '127.0.0.1')
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: 'dying', keepalive: 0 }),
  )
  await new Promise((resolve) => socket.once('data', resolve))
  await new Promise<void>((resolve) => socket.write(Buffer.concat(packets), () => resolve()))
  socket.destroy()
  await inbox.count(20)
  expect(inbox.texts).toEqual(textsOf(broker.events()))
})

test('a QoS 2 message sent again before its release is recorded and delivered once', async () => {
  const broker = await startTestBroker()
  const watcher = await connect(broker)
  const inbox = inboxOf(watcher)
  await watcher.subscribeAsync('lab/#', { qos: 2 })
  const socket = connectTcp(broker.port, '127.0.0.1')
  const answers: string[] = []
  const parser = newParser()
  parser.on('packet', ({ cmd, messageId }) => answers.push(messageId === undefined ? cmd : `${cmd} ${messageId}`))
  socket.on('data', (chunk) => parser.parse(chunk))
  const publish = (dup: boolean): Buffer =>
    generate({ cmd: 'publish', topic: 'lab/dose', payload: '1', qos: 2, messageId: 7, dup, retain: false })
  socket.write(
    Buffer.concat([
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: 'again',
        keepalive: 0,
      }),
      publish(false),
      publish(true),
    ]),
  )
  await eventually(() => expect(answers).toEqual(['connack', 'pubrec 7', 'pubrec 7']))
  socket.write(publish(true))
  await eventually(() => expect(answers.at(3)).toBe('pubrec 7'))
  socket.write(generate({ cmd: 'pubrel', messageId: 7 }))
  await eventually(() => expect(answers.at(4)).toBe('pubcomp 7'))
  expect(textsOf(broker.events())).toEqual(['lab/dose=1'])
  // After its release the identifier belongs to a new message.
  socket.write(publish(false))
  await inbox.count(2)
  expect(textsOf(broker.events())).toEqual(['lab/dose=1', 'lab/dose=1'])
  socket.destroy()
})

test('a client that subscribes without waiting for its CONNACK gets live messages', async () => {
  const broker = await startTestBroker()
  const publisher = await connect(broker)
  // Turns of the loop between CONNECT and SUBSCRIBE: with 0 both come in one segment, with others while CONNECT is dealt with.
  for (let turns = 0; turns < 20; turns++) {
    const topic = `quick/${turns}`
    const socket = connectTcp(broker.port, '127.0.0.1')
    const received: string[] = []
    const parser = newParser({ protocolVersion: 4 })
    parser.on('packet', (packet) => received.push(packet.cmd === 'publish' ? packet.payload.toString() : packet.cmd))
    socket.on('data', (bytes) => parser.parse(bytes))
    await once(socket, 'connect')
    socket.setNoDelay(true)
    const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const
    const subscribe = generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
    if (turns === 0) {
      socket.write(Buffer.concat([generate({ ...hello, clientId: topic }), subscribe]))
    } else {
      socket.write(generate({ ...hello, clientId: topic }))
      for (let turn = 1; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      socket.write(subscribe)
    }
    await eventually(() => expect(received).toContain('suback'))
    await publisher.publishAsync(topic, 'live', { qos: 1 })
    await eventually(() => expect(received).toEqual(['connack', 'suback', 'live']))
    socket.destroy()
  }
})

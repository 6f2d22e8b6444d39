import { describe, expect, test } from 'vitest'
import { recordingLogger } from '../support/recording-logger.js'
import { type ByteClient, openBytes } from './byte-client.js'
import {
  connectPacket,
  MALFORMED,
  MALFORMED_FIRST,
  type MalformedPacket,
  packet,
  SERVED_CONNECTS,
  text,
  WELL_FORMED,
} from './malformed-packets.js'
import { connect, inboxOf, startTestBroker, type TestBroker } from './test-broker.js'

const CONNACK = [0x20, 2, 0, 0]

const connected = async (broker: TestBroker, webSocket = false, clientId = '', flags = 2): Promise<ByteClient> => {
  const client = await openBytes(broker, webSocket)
  client.send(connectPacket(text('MQTT'), 4, flags, 0, 0, text(clientId)))
  expect([...(await client.answer(4))]).toEqual(CONNACK)
  return client
}

describe.each([
  ['TCP', false],
  ['WebSocket', true],
])('over %s', (_, webSocket) => {
  const nameOf = ({ clause, what }: MalformedPacket): string => `${what} [MQTT-${clause}]`

  test('every malformed first packet ends its connection', async () => {
    const broker = await startTestBroker()
    for (const malformed of MALFORMED_FIRST) {
      const client = await openBytes(broker, webSocket)
      client.send(malformed.bytes)
      expect([nameOf(malformed), [...(await client.closed())]]).toEqual([
        nameOf(malformed),
        [...(malformed.answer ?? [])],
      ])
    }
    expect(broker.events()).toEqual([])
  }, 60_000)

  test('every malformed packet ends its connection and does nothing, and the log says why', async () => {
    const logger = recordingLogger()
    const broker = await startTestBroker({ logger })
    const watcher = await connect(broker)
    const inbox = inboxOf(watcher)
    await watcher.subscribeAsync('#', { qos: 2 })
    for (const malformed of MALFORMED) {
      logger.lines.length = 0
      const client = await connected(broker, webSocket)
      client.send(malformed.bytes)
      expect([nameOf(malformed), [...(await client.closed())]]).toEqual([nameOf(malformed), CONNACK])
      const reasons = logger.lines.filter(({ level }) => level !== 'debug')
      expect(reasons).toMatchObject([
        { level: 'warn', message: 'connection closed: the client broke the rules of MQTT' },
      ])
    }
    await watcher.publishAsync('after', 'x', { qos: 1 })
    await inbox.count(1)
    expect(inbox.texts).toEqual(['after=x'])
    expect(broker.events()).toHaveLength(1)
  }, 60_000)

  test.each(WELL_FORMED)('%s is answered', async (_what, bytes, answer) => {
    const client = await connected(await startTestBroker(), webSocket)
    client.send(Buffer.concat([bytes, packet(0xc0)]))
    await client.answer(4 + answer.length)
    expect([...client.received().subarray(4)]).toEqual(expect.arrayContaining([...answer]))
    client.send(packet(0xc0))
    await client.answer(4 + answer.length + 4)
  })
})

test.each(SERVED_CONNECTS)('CONNECT with %s is served', async (_, bytes) => {
  const client = await openBytes(await startTestBroker())
  client.send(bytes)
  expect([...(await client.answer(4))]).toEqual(CONNACK)
  client.send(packet(0xc0))
  expect([...(await client.answer(6))]).toEqual([...CONNACK, 0xd0, 0])
})

test('MQTT 3.1 may mark repeated packets, and is refused what 3.1.1 refuses', async () => {
  const broker = await startTestBroker()
  const client = await openBytes(broker)
  client.send(connectPacket(text('MQIsdp'), 3, 2, 0, 0, text('old')))
  await client.answer(4)
  client.send(Buffer.concat([packet(0x8a, 0, 1, text('a'), 1), packet(0xaa, 0, 2, text('a')), packet(0x6a, 0, 3)]))
  expect([...(await client.answer(17))].slice(4)).toEqual([0x90, 3, 0, 1, 1, 0xb0, 2, 0, 2, 0x70, 2, 0, 3])
  client.send(packet(0x8b, 0, 1, text('a'), 1))
  await client.closed()
})

describe('an acknowledgement of the wrong type', () => {
  const wrong = [
    ['PUBACK for QoS 2', 2, [0x40]],
    ['PUBCOMP before PUBREC', 2, [0x70]],
    ['PUBACK after PUBREC', 2, [0x50, 0x40]],
    ['PUBREC for QoS 1', 1, [0x50]],
    ['PUBCOMP for QoS 1', 1, [0x70]],
  ] as const

  test.each(wrong.flatMap((row) => [[...row, true] as const, [...row, false] as const]))(
    '%s ends the connection, and the message stays in flight; QoS %i, %j, clean session: %s',
    async (_, qos, answers, clean) => {
      const broker = await startTestBroker()
      const client = await connected(broker, false, 'reader', clean ? 2 : 0)
      client.send(packet(0x82, 0, 1, text('a'), 2))
      await client.answer(9)
      const publisher = await connect(broker)
      await publisher.publishAsync('a', 'x', { qos })
      const delivered = await client.answer(9 + 8)
      const messageId = delivered.subarray(9 + 5, 9 + 7)
      for (const answer of answers) client.send(packet(answer, messageId))
      await client.closed()
      if (clean) return
      const back = await openBytes(broker)
      back.send(connectPacket(text('MQTT'), 4, 0, 0, 0, text('reader')))
      const released = answers.length === 2
      const again = released
        ? packet(0x62, messageId)
        : packet(0x38 | (qos << 1), text('a'), messageId, Buffer.from('x'))
      const received = await back.answer(4 + again.length)
      expect([...received]).toEqual([0x20, 2, 1, 0, ...again])
    },
  )

  test('one that nothing waits for is harmless', async () => {
    const client = await connected(await startTestBroker())
    client.send(Buffer.concat([packet(0x40, 0, 7), packet(0x70, 0, 7), packet(0x50, 0, 7)]))
    expect([...(await client.answer(8))].slice(4)).toEqual([0x62, 2, 0, 7])
  })
})

describe('time', () => {
  test('bytes of a packet that never ends are no sign of life', async () => {
    const broker = await startTestBroker()
    const client = await openBytes(broker)
    client.send(connectPacket(text('MQTT'), 4, 2, 0, 1, text('slow')))
    await client.answer(4)
    client.send(Buffer.of(0x30, 0xff, 0x7f, 0, 1, 0x61))
    const trickle = setInterval(() => client.send(Buffer.of(0x61)), 100)
    await client.closed().finally(() => clearInterval(trickle))
  })

  test('a connection whose CONNECT does not come within ten seconds is closed, also when it comes byte by byte', async () => {
    const broker = await startTestBroker()
    const [mute, slow] = await Promise.all([openBytes(broker), openBytes(broker)])
    slow.send(Buffer.of(0x10, 0x7f))
    const trickle = setInterval(() => slow.send(Buffer.of(0)), 500)
    await Promise.all([mute.closed(), slow.closed()]).finally(() => clearInterval(trickle))
  })
})

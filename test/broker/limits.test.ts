import { expect, test } from 'vitest'
import { recordingLogger } from '../support/recording-logger.js'
import { type ByteClient, openBytes } from './byte-client.js'
import { connectPacket, packet, text } from './malformed-packets.js'
import { connect, inboxOf, startTestBroker, type TestBroker } from './test-broker.js'

const attach = async (broker: TestBroker, clean: boolean): Promise<ByteClient> => {
  const client = await openBytes(broker)
  client.send(connectPacket(text('MQTT'), 4, clean ? 2 : 0, 0, 0, text('greedy')))
  await client.answer(4)
  return client
}

/** @returns return codes of SUBACK. */
async function subscribe(client: ByteClient, filters: readonly string[]): Promise<number[]> {
  const before = client.received().length
  const fields = filters.map((filter) => Buffer.concat([text(filter), Buffer.of(1)]))
  const body = Buffer.concat([Buffer.of(0, 1), ...fields])
  const length = Buffer.of((body.length & 127) | 128, ((body.length >> 7) & 127) | 128, body.length >> 14)
  client.send(Buffer.concat([Buffer.of(0x82), length, body]))
  const lengthBytes = filters.length + 2 < 128 ? 1 : 2
  const answer = await client.answer(before + 1 + lengthBytes + 2 + filters.length)
  return [...answer.subarray(before + 1 + lengthBytes + 2)]
}

const filters = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `lab/${from + i}/+`)
const ones = (count: number): number[] => Array.from({ length: count }, () => 1)

test.each([true, false])('a client has at most 1000 filters; clean session: %s', async (clean) => {
  const logger = recordingLogger()
  const broker = await startTestBroker({ logger })
  let client = await attach(broker, clean)
  expect(await subscribe(client, filters(0, 990))).toEqual(ones(990))
  expect(await subscribe(client, filters(990, 1100))).toEqual([...ones(10), ...ones(100).map(() => 0x80)])
  expect(logger.lines.filter(({ message }) => message === 'subscription refused')).toMatchObject([
    { fields: { client: 'greedy', filter: 'lab/1000/+', filters: 100, reason: 'a client has at most 1000 filters' } },
  ])
  if (!clean) {
    client.destroy()
    client = await attach(broker, clean)
    expect(await subscribe(client, ['one/more'])).toEqual([0x80])
  }
  expect(await subscribe(client, filters(0, 5))).toEqual(ones(5))
  const before = client.received().length
  client.send(packet(0xa2, 0, 2, text('lab/0/+')))
  await client.answer(before + 4)
  expect(await subscribe(client, ['one/more', 'two/more'])).toEqual([1, 0x80])
})

test('filters that are too long, too deep or shared are refused one by one, and the others are served', async () => {
  const broker = await startTestBroker()
  const client = await attach(broker, false)
  const refused = [
    'x'.repeat(1025),
    '+/'.repeat(100),
    '/'.repeat(60_000),
    `${'+/'.repeat(30_000)}#`,
    '$share/group/lab/#',
  ]
  for (const filter of refused)
    expect([filter.length, await subscribe(client, [filter])]).toEqual([filter.length, [0x80]])
  const granted = ['a', 'x'.repeat(1024), '+/'.repeat(99)]
  expect(await subscribe(client, ['$share/group/a', ...granted, 'x'.repeat(1025)])).toEqual([0x80, 1, 1, 1, 0x80])
  const publisher = await connect(broker)
  await publisher.publishAsync('a', 'x', { qos: 1 })
})

test('a topic that is too long or too deep is acknowledged, dropped and recorded as refused', async () => {
  const broker = await startTestBroker()
  const client = await connect(broker)
  await client.publishAsync('x'.repeat(1025), 'x', { qos: 1 })
  await client.publishAsync('/'.repeat(60_000), 'x', { qos: 2 })
  await client.publishAsync('x'.repeat(1024), 'x', { qos: 1 })
  expect(broker.events().map(({ topic }) => topic)).toEqual([
    'system/u1/refusals',
    'system/u1/refusals',
    'x'.repeat(1024),
  ])
})

test.each([
  ['SUBSCRIBE', 0x82],
  ['UNSUBSCRIBE', 0xa2],
])('%s of more than 64 KiB closes the connection by its header', async (_, first) => {
  const broker = await startTestBroker()
  const client = await attach(broker, true)
  client.send(Buffer.of(first, 0x81, 0x80, 0x04))
  await client.closed()
})

test('of equal filters in one packet the last counts, and each is answered', async () => {
  const broker = await startTestBroker()
  const client = await attach(broker, false)
  expect(
    await subscribe(
      client,
      Array.from({ length: 7000 }, () => 'lab/#'),
    ),
  ).toEqual(ones(7000))
  const reader = await connect(broker, { clientId: 'greedy', clean: false })
  const inbox = inboxOf(reader)
  await reader.publishAsync('lab/a', 'x', { qos: 1 })
  await inbox.count(1)
  expect(inbox.texts).toEqual(['lab/a=x'])
})

import { connect as connectTcp } from 'node:net'
import { connectAsync } from 'mqtt'
import { generate } from 'mqtt-packet'
import { expect, onTestFinished, test } from 'vitest'
import { openEventLogReader, type PagingEventLogReader } from '../../event-log/reader.js'
import { eventually } from '../support/eventually.js'
import { residentMebibytes } from '../support/process-memory.js'
import { recordingLogger } from '../support/recording-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { rawClient } from './raw-client.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, startTestBroker } from './test-broker.js'

/** A reader of the log whose pages cannot be read while `broken` is set. */
function breakable(reader: PagingEventLogReader): PagingEventLogReader & { broken: boolean } {
  return {
    broken: false,
    lastPosition: () => reader.lastPosition(),
    read: (options) => reader.read(options),
    readText: (options) => reader.readText(options),
    retained: (filter) => reader.retained(filter),
    received: () => reader.received(),
    close: () => reader.close(),
    page(options) {
      if (this.broken) throw new Error('SQLITE_IOERR: disk I/O error')
      return reader.page(options)
    },
  }
}

test('a log that cannot be read costs a client that catches up its connection; it gets everything when it comes again', async () => {
  const first = await startTestBroker()
  const away = rawClient(first, { clientId: 'away' })
  await away.subscribe('lab/#', 1)
  away.close()
  await first.stop()
  const reader = breakable(openEventLogReader(`${first.home}/event-log.db`))
  const logger = recordingLogger()
  const broker = await startTestBroker({ home: first.home, reader, logger })
  const publisher = await connect(broker)
  for (let i = 0; i < 50; i++) await publisher.publishAsync('lab/a', `${i}`, { qos: 1 })
  reader.broken = true
  const back = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    clientId: 'away',
    clean: false,
    reconnectPeriod: 0,
    protocolVersion: 4,
  })
  await eventually(() => expect(back.connected).toBe(false))
  await publisher.publishAsync('lab/a', 'goes on', { qos: 1 })
  expect(logger.lines.filter(({ fields }) => Reflect.get(fields, 'client') === 'away')).toHaveLength(1)
  reader.broken = false
  const again = rawClient(broker, { clientId: 'away' })
  await eventually(() =>
    expect(again.messages.map(({ payload }) => payload)).toEqual([...Array(50).keys(), 'goes on'].map(String)),
  )
})

test('sessions with a thousand filters each catch up, and go on live', async () => {
  const broker = await startTestBroker()
  const sessions = Array.from({ length: 20 }, (_, s) => `dashboard ${s}`)
  const filters = (s: number): string[] =>
    Array.from({ length: 1000 }, (_, i) => `lab/+/${s}/${i}/${'x/'.repeat(i % 20)}#`)
  for (const [s, clientId] of sessions.entries()) {
    const client = await connect(broker, { clientId, clean: false })
    await client.subscribeAsync(filters(s), { qos: 1 })
    await client.endAsync()
  }
  const publisher = await connect(broker)
  const publish = (text: string): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 2000 }, (_, i) =>
        publisher.publishAsync(`lab/${i % 7}/${i % 40}/${i % 1000}/${'x/'.repeat(20)}`, text, { qos: 1 }),
      ),
    )
  await publish('missed')
  const back = sessions.map((clientId) => rawClient(broker, { clientId }))
  const expected = (s: number): number => Array.from({ length: 2000 }, (_, i) => i % 40).filter((n) => n === s).length
  await eventually(() => {
    for (const [s, { messages }] of back.entries()) expect(messages).toHaveLength(expected(s))
  })
  for (const client of back) for (const { messageId } of client.messages) client.answer('puback', messageId)
  await publish('live')
  await eventually(() => {
    for (const [s, { messages }] of back.entries()) expect(messages).toHaveLength(2 * expected(s))
  })
  expect(new Set(back.flatMap(({ messages }) => messages.map(({ payload }) => payload)))).toEqual(
    new Set(['missed', 'live']),
  )
}, 60_000)

test('a session that is a hundred megabytes behind and does not read takes no more than a few of them', async () => {
  const broker = await spawnBroker(temporaryDirectory())
  const clients = Array.from({ length: 10 }, (_, i) => `absent ${i}`)
  for (const clientId of clients) {
    const client = rawClient(broker, { clientId })
    await client.subscribe('lab/#', 1)
    client.close()
  }
  const publisher = await connect(broker)
  const payload = Buffer.alloc(1_000_000)
  for (let i = 0; i < 100; i++) await publisher.publishAsync('lab/large', payload, { qos: 1 })
  const before = residentMebibytes(Number(broker.child.pid))
  let highest = 0
  const stalled = clients.map((clientId) => stalledClient(broker, clientId))
  await Promise.all(stalled)
  for (let i = 0; i < 100; i++) {
    await publisher.publishAsync('door', 'goes on', { qos: 1 })
    highest = Math.max(highest, residentMebibytes(Number(broker.child.pid)))
  }
  // All of it was a gigabyte.
  expect(highest - before).toBeLessThan(300)
}, 60_000)

/** Comes back to its session and reads no more than the CONNACK. */
async function stalledClient({ port }: { readonly port: number }, clientId: string): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: false, clientId, keepalive: 0 }),
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
}

import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { openEventLogReader, type PagingEventLogReader } from '../../event-log/reader.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'
import { rawClient } from './raw-client.js'
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

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createClock } from '../../clock.js'
import { openEventLogReader } from '../../event-log/reader.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'
import { closed, connect, inboxOf, startTestBroker } from './test-broker.js'

// An exception that reached the process would end the test run: vitest reports every one that nobody caught.

const SESSION = { clientId: 'back', clean: false }

test('a log that cannot be read ends the connection of the session that reads it, at whichever step, and nothing else', async () => {
  const logger = recordingLogger()
  const { home, stop } = await startTestBroker()
  await stop()
  const reader = openEventLogReader(join(home, 'event-log.db'))
  let pagesLeft = Number.POSITIVE_INFINITY
  const page: typeof reader.page = (options) => {
    if (pagesLeft-- <= 0) throw new Error('disk I/O error')
    return reader.page(options)
  }
  const failing = new Proxy(reader, {
    get: (target, name) => {
      const value: unknown = name === 'page' ? page : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const broker = await startTestBroker({ home, logger, reader: failing })
  const first = await connect(broker, SESSION)
  await first.subscribeAsync('lab/#', { qos: 1 })
  await first.endAsync()
  const witness = await connect(broker)
  // More than a socket holds, so that some steps are taken when it has drained.
  const payload = 'x'.repeat(20_000)
  await Promise.all(Array.from({ length: 500 }, (_, i) => witness.publishAsync(`lab/${i}`, payload, { qos: 1 })))

  for (let pages = 0; pages < 4; pages++) {
    pagesLeft = pages
    logger.lines.length = 0
    const client = await connect(broker, SESSION).catch(() => null)
    if (client !== null) await closed(client)
    const told = await eventually(() => {
      const lines = logger.lines.filter(({ level }) => level === 'error')
      expect(lines).not.toEqual([])
      return lines
    })
    expect(told).toEqual([
      {
        level: 'error',
        message: 'connection closed: what the client asked for failed',
        fields: { client: 'back', err: expect.objectContaining({ message: 'disk I/O error' }) },
      },
    ])
    await witness.publishAsync('other', 'x', { qos: 1 })
  }

  pagesLeft = Number.POSITIVE_INFINITY
  const topics = new Set<string>()
  await connect(broker, SESSION, (client) => {
    client.on('message', (topic) => topics.add(topic))
  })
  await eventually(() => expect(topics.size).toBe(500))
}, 60_000)

test('what fails at a publish, and at a will, ends nothing but its client', async () => {
  const logger = recordingLogger()
  const clock = createClock()
  let fails = false
  const failing = new Proxy(clock, {
    get: (target, name) => {
      if (name === 'now' && fails) throw new Error('no time')
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const broker = await startTestBroker({ logger, clock: failing })
  const witness = await connect(broker)
  const inbox = inboxOf(witness)
  await witness.subscribeAsync('lab/#', { qos: 1 })
  // Refused, and a refusal tells the time.
  const will = { topic: 'system/u1/mine', payload: Buffer.from('x'), qos: 1, retain: false } as const
  const client = await connect(broker, { clientId: 'unlucky', will })
  fails = true
  client.publish('system/u1/mine', 'x', { qos: 1 })
  await closed(client)
  fails = false
  await eventually(() =>
    expect(
      logger.lines.filter(({ level }) => level === 'error').map(({ message, fields }) => [message, fields['client']]),
    ).toEqual([
      ['connection closed: what the client asked for failed', 'unlucky'],
      ['a will could not be published', 'unlucky'],
    ]),
  )
  await witness.publishAsync('lab/a', 'x', { qos: 1 })
  await inbox.count(1)
})

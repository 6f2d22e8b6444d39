import { expect, test } from 'vitest'
import { verifyLog } from '../../event-log/verify.js'
import { eventually } from '../support/eventually.js'
import { connect, inboxOf, startTestBroker, textsOf } from './test-broker.js'

test('on a full disk nothing is acknowledged or delivered, $SYS/benchlog/log says so, and work resumes by itself', async () => {
  const broker = await startTestBroker({ maxPages: 60 })
  const watcher = await connect(broker)
  const inbox = inboxOf(watcher)
  await watcher.subscribeAsync({ 'lab/#': { qos: 1 }, '$SYS/benchlog/log': { qos: 1 } })
  const statuses = (): { writable: boolean; reason: string | null }[] =>
    inbox.packets.filter(({ topic }) => topic.startsWith('$SYS')).map(({ payload }) => JSON.parse(payload.toString()))
  const deliveries = (): string[] => inbox.texts.filter((text) => text.startsWith('lab/'))

  const publisher = await connect(broker)
  const payload = 'x'.repeat(20_000)
  let acknowledged = 0
  const published = Array.from({ length: 40 }, async (_, i) => {
    await publisher.publishAsync(`lab/${i}`, payload, { qos: 1 })
    acknowledged++
  })
  await eventually(() =>
    expect(statuses().at(-1)).toMatchObject({ writable: false, reason: expect.stringMatching(/full/) }),
  )
  expect(acknowledged).toBeLessThan(40)
  expect(deliveries().length).toBe(broker.reader.lastPosition())

  // Connections that come during the outage learn of it, and can still subscribe and hear what is not recorded.
  const late = await connect(broker)
  const lateInbox = inboxOf(late)
  await late.subscribeAsync('$SYS/benchlog/log', { qos: 1 })
  await lateInbox.count(1)
  expect(lateInbox.texts[0]).toContain('"writable":false')

  broker.log.limitPages(100_000)
  await Promise.all(published)
  await eventually(() => expect(statuses().at(-1)).toMatchObject({ writable: true, reason: null }))
  await eventually(() => expect(deliveries()).toHaveLength(40))
  expect(deliveries()).toEqual(textsOf(broker.events()))
  expect(verifyLog(`${broker.home}/event-log.db`).problems).toEqual([])
})

test('a publisher that waits for the disk stays connected, and each of its messages is recorded once', async () => {
  const broker = await startTestBroker({ maxPages: 60 })
  const publisher = await connect(broker, { keepalive: 1 })
  let pongs = 0
  let closings = 0
  publisher.on('packetreceive', ({ cmd }) => {
    if (cmd === 'pingresp') pongs++
  })
  publisher.on('close', () => closings++)
  // 3 MB: more than a connection may have waiting while the log can be written.
  const texts = Array.from({ length: 150 }, (_, i) => `lab/${i % 3}=${i}${'x'.repeat(20_000)}`)
  const published = texts.map((text, i) => {
    const [topic = '', payload = ''] = text.split('=')
    return publisher.publishAsync(topic, payload, { qos: ((i % 2) + 1) as 1 | 2 })
  })
  await eventually(() => expect(broker.log.status().writable).toBe(false))
  await eventually(() => expect(pongs).toBeGreaterThan(2))
  broker.log.limitPages(100_000)
  await Promise.all(published)
  expect(closings).toBe(0)
  expect(textsOf(broker.events())).toEqual(texts)
})

test('a client that floods a full disk is held back, so that others still have room to wait', async () => {
  const mebibyte = 1024 * 1024
  const broker = await startTestBroker({ maxPages: 60, waitingBytes: 12 * mebibyte })
  const flooder = await connect(broker)
  const total = 20
  for (let i = 0; i < total; i++) flooder.publish(`lab/${i}`, Buffer.alloc(mebibyte - 100), { qos: 0 })
  await eventually(() => expect(broker.log.status().writable).toBe(false))
  const other = await connect(broker)
  const published = other.publishAsync('lab/other', 'x', { qos: 1 })
  // An answer to its ping: what it published is waiting by now.
  await new Promise<void>((resolve) => {
    other.on('packetreceive', ({ cmd }) => cmd === 'pingresp' && resolve())
    other.sendPing()
  })
  broker.log.limitPages(100_000)
  await published
  await eventually(() => expect(broker.events()).toHaveLength(total + 1))
  const flooded = broker.events().filter(({ topic }) => topic !== 'lab/other')
  expect(flooded.map(({ topic }) => topic)).toEqual(Array.from({ length: total }, (_, i) => `lab/${i}`))
})

test('stops in time although the disk is full', async () => {
  const broker = await startTestBroker({ maxPages: 10 })
  const client = await connect(broker)
  client.publish('lab/a', 'x'.repeat(100_000), { qos: 1 }, () => undefined)
  await eventually(() => expect(broker.log.status().writable).toBe(false))
  await broker.stop()
})

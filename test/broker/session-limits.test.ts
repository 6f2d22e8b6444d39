import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { FakeClock } from '../support/fake-clock.js'
import { rawClient } from './raw-client.js'
import { connect, startTestBroker } from './test-broker.js'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS

async function visit(broker: { readonly port: number }, clientId: string, subscribe = true): Promise<boolean> {
  const client = rawClient(broker, { clientId })
  await client.until('connack')
  if (subscribe) await client.subscribe('lab/#', 1)
  client.close()
  return client.sessionPresent() ?? false
}

test('a session ends seven days after the last connection of its client, and its identifiers with it', async () => {
  const clock = new FakeClock()
  const broker = await startTestBroker({ clock })
  await visit(broker, 'gone')
  const publisher = rawClient(broker, { clientId: 'publisher' })
  publisher.publish('door/a', 'x', 2, 9)
  await publisher.until('pubrec 9')
  publisher.close()
  const connected = rawClient(broker, { clientId: 'connected' })
  await connected.subscribe('lab/#', 1)
  await eventually(() => expect(broker.sessionCounts()).toMatchObject({ stored: 3, connected: 1 }))

  await clock.advance(7 * DAY_MS - HOUR_MS)
  expect(broker.sessionCounts().stored).toBe(3)
  expect(await visit(broker, 'gone', false)).toBe(true)
  await eventually(() => expect(broker.sessionCounts().connected).toBe(1))
  await clock.advance(2 * HOUR_MS)
  expect(broker.sessionCounts().stored).toBe(2)
  await eventually(() => expect(broker.reader.received()).toEqual([]))
  await clock.advance(7 * DAY_MS)
  expect(broker.sessionCounts()).toMatchObject({ stored: 1, connected: 1 })
  expect(await visit(broker, 'gone', false)).toBe(false)
})

test('clients that were connected when the process ended were last here then, and have an hour to come back', async () => {
  const clock = new FakeClock()
  const broker = await startTestBroker({ clock })
  const staying = rawClient(broker, { clientId: 'staying' })
  await staying.subscribe('lab/#', 1)
  await clock.advance(30 * DAY_MS)
  await broker.stop()
  const later = await startTestBroker({ home: broker.home, clock })
  await clock.advance(6 * DAY_MS)
  expect(await visit(later, 'staying', false)).toBe(true)
  await later.stop()
  const muchLater = new FakeClock(new Date(clock.now().getTime() + 30 * DAY_MS).toISOString())
  const last = await startTestBroker({ home: broker.home, clock: muchLater })
  await muchLater.advance(HOUR_MS / 2)
  expect(await visit(last, 'staying', false)).toBe(true)
})

test('when there is no room a new session is refused, unless one has been away for a day', async () => {
  const clock = new FakeClock()
  const broker = await startTestBroker({ clock, sessionLimits: { most: 3, expiryMs: 7 * DAY_MS } })
  const connected = rawClient(broker, { clientId: 'connected' })
  await connected.subscribe('lab/#', 1)
  await visit(broker, 'old')
  await eventually(() => expect(broker.sessionCounts().connected).toBe(1))
  await clock.advance(DAY_MS + HOUR_MS)
  await visit(broker, 'recent')
  await eventually(() => expect(broker.sessionCounts()).toEqual({ stored: 3, connected: 1, most: 3 }))

  expect(await visit(broker, 'new 1')).toBe(false)
  await eventually(() => expect(broker.sessionCounts()).toEqual({ stored: 3, connected: 1, most: 3 }))
  for (const clientId of ['new 2', 'old']) {
    await expect(connect(broker, { clientId, clean: false })).rejects.toMatchObject({ code: 3 })
  }
  await connect(broker, { clientId: 'needs no session', clean: true })
  expect(await visit(broker, 'recent', false)).toBe(true)
  expect(await visit(broker, 'new 1', false)).toBe(true)
  await (await connect(broker)).publishAsync('lab/a', 'x', { qos: 1 })
  await eventually(() => expect(connected.messages).toHaveLength(1))
})

import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { IClientOptions, MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { rawClient } from './raw-client.js'
import { connect, inboxOf, startTestBroker, type TestBroker, textsOf } from './test-broker.js'

const PERSISTENT: IClientOptions = { clientId: 'dashboard', clean: false }

const publishAll = async (client: MqttClient, from: number, to: number): Promise<void> => {
  await Promise.all(
    Array.from({ length: to - from }, (_, i) =>
      client.publishAsync(`lab/${(from + i) % 5}`, String(from + i), { qos: 1, retain: i % 2 === 0 }),
    ),
  )
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `lab/${(from + i) % 5}=${from + i}`)

test('a session that was away across three restarts gets everything once, in order, then goes on live', async () => {
  let broker = await startTestBroker()
  const first = await connect(broker, PERSISTENT)
  await first.subscribeAsync('lab/#', { qos: 1 })
  await first.endAsync()
  for (let life = 0; life < 4; life++) {
    const publisher = await connect(broker)
    await publishAll(publisher, life * 300, (life + 1) * 300)
    if (life === 3) break
    await broker.stop()
    broker = await startTestBroker({ home: broker.home })
  }
  const back = await connectListening(broker, PERSISTENT)
  await back.inbox.count(1200)
  const publisher = await connect(broker)
  await publishAll(publisher, 1200, 1300)
  await back.inbox.count(1300)
  expect(back.inbox.texts).toEqual(numbers(0, 1300))
  expect(back.sessionPresent).toBe(true)
})

test('going live while others publish leaves no gap and repeats nothing', async () => {
  const broker = await startTestBroker()
  const first = await connect(broker, PERSISTENT)
  await first.subscribeAsync('lab/#', { qos: 1 })
  await first.endAsync()
  const publisher = await connect(broker)
  await publishAll(publisher, 0, 3000)
  const later = publishAll(publisher, 3000, 6000)
  const { inbox } = await connectListening(broker, PERSISTENT)
  await later
  await inbox.count(6000)
  expect(inbox.texts).toEqual(numbers(0, 6000))
})

test('only messages of QoS 1 and 2 that match wait, and none from before the subscription', async () => {
  const broker = await startTestBroker()
  const publisher = await connect(broker)
  await publisher.publishAsync('lab/a', 'before', { qos: 1 })
  const first = await connect(broker, PERSISTENT)
  await first.subscribeAsync({ 'lab/+': { qos: 1 }, 'door/#': { qos: 0 } })
  await first.endAsync()
  await publisher.publishAsync('lab/a', 'qos 0', { qos: 0 })
  await publisher.publishAsync('lab/a', 'qos 1', { qos: 1 })
  await publisher.publishAsync('lab/a', 'qos 2', { qos: 2 })
  await publisher.publishAsync('lab/a/b', 'deeper', { qos: 2 })
  await publisher.publishAsync('door/a', 'granted 0', { qos: 2 })
  const { inbox } = await connectListening(broker, PERSISTENT)
  await publisher.publishAsync('lab/end', 'live', { qos: 0 })
  await inbox.count(3)
  expect(inbox.texts).toEqual(['lab/a=qos 1', 'lab/a=qos 2', 'lab/end=live'])
})

test('a clean connection ends the session', async () => {
  const broker = await startTestBroker()
  const first = await connect(broker, PERSISTENT)
  await first.subscribeAsync('lab/#', { qos: 1 })
  await first.endAsync()
  const clean = await connect(broker, { ...PERSISTENT, clean: true })
  await clean.endAsync()
  const publisher = await connect(broker)
  await publisher.publishAsync('lab/a', 'x', { qos: 1 })
  const back = await connectListening(broker, PERSISTENT)
  expect(back.sessionPresent).toBe(false)
  await back.client.subscribeAsync('lab/end', { qos: 1 })
  await publisher.publishAsync('lab/end', 'y', { qos: 1 })
  await back.inbox.count(1)
  expect(back.inbox.texts).toEqual(['lab/end=y'])
})

test('an unsubscribed filter stays so after a restart', async () => {
  let broker = await startTestBroker()
  const first = await connect(broker, PERSISTENT)
  await first.subscribeAsync(['lab/a', 'lab/b'], { qos: 1 })
  await first.unsubscribeAsync('lab/a')
  await first.endAsync()
  await broker.stop()
  broker = await startTestBroker({ home: broker.home })
  const publisher = await connect(broker)
  await publisher.publishAsync('lab/a', '1', { qos: 1 })
  await publisher.publishAsync('lab/b', '2', { qos: 1 })
  const { inbox } = await connectListening(broker, PERSISTENT)
  await inbox.count(1)
  expect(inbox.texts).toEqual(['lab/b=2'])
})

test('a client that acknowledges nothing gets a window of messages, again with DUP and the same identifiers, also after a restart', async () => {
  let broker = await startTestBroker()
  const silent = rawClient(broker)
  await silent.until('connack')
  silent.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lab/#', qos: 1 }] }))
  await silent.until('suback')
  const publisher = await connect(broker)
  await publishAll(publisher, 0, 3)
  await eventually(() => expect(silent.messages).toHaveLength(3))
  const sent = [...silent.messages]
  expect(sent.map(({ dup }) => dup)).toEqual([false, false, false])
  silent.close()
  await broker.stop()
  broker = await startTestBroker({ home: broker.home })
  const again = rawClient(broker)
  await eventually(() => expect(again.messages).toHaveLength(3))
  expect(again.messages).toEqual(sent.map((message) => ({ ...message, dup: true })))
  for (const { messageId } of again.messages) again.send(generate({ cmd: 'puback', messageId }))
  await publishAll(await connect(broker), 3, 4)
  await eventually(() => expect(again.messages).toHaveLength(4))
  again.close()
})

test('a full window holds no more than 1000 messages back from a client that answers', async () => {
  const broker = await startTestBroker()
  const slow = rawClient(broker)
  await slow.until('connack')
  slow.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lab/#', qos: 1 }] }))
  await slow.until('suback')
  await publishAll(await connect(broker), 0, 2500)
  await eventually(() => expect(slow.messages).toHaveLength(1000))
  let answered = 0
  await eventually(() => {
    for (; answered < slow.messages.length; answered++) {
      const messageId = slow.messages[answered]?.messageId ?? 0
      slow.send(generate({ cmd: 'puback', messageId }))
    }
    expect(slow.messages).toHaveLength(2500)
  })
  expect(slow.messages.map(({ payload }) => Number(payload))).toEqual(Array.from({ length: 2500 }, (_, i) => i))
  slow.close()
})

test('after PUBREC a QoS 2 message is released again, not sent again, also after a restart', async () => {
  let broker = await startTestBroker()
  const client = rawClient(broker)
  await client.until('connack')
  client.send(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'lab/#', qos: 2 }] }))
  await client.until('suback')
  await (await connect(broker)).publishAsync('lab/dose', '1', { qos: 2 })
  await eventually(() => expect(client.messages).toHaveLength(1))
  const messageId = client.messages[0]?.messageId ?? 0
  client.send(generate({ cmd: 'pubrec', messageId }))
  await client.until(`pubrel ${messageId}`)
  client.close()
  await broker.stop()
  broker = await startTestBroker({ home: broker.home })
  const again = rawClient(broker)
  await again.until(`pubrel ${messageId}`)
  again.send(generate({ cmd: 'pubcomp', messageId }))
  await (await connect(broker)).publishAsync('lab/end', '2', { qos: 1 })
  await eventually(() => expect(again.messages).toHaveLength(1))
  expect(again.messages[0]?.payload).toBe('2')
  again.close()
})

test('a persistent publisher that sends a QoS 2 message again after a restart is recorded once', async () => {
  let broker = await startTestBroker()
  const publish = (dup: boolean): Buffer =>
    generate({ cmd: 'publish', topic: 'lab/dose', payload: '1', qos: 2, messageId: 9, dup, retain: false })
  const client = rawClient(broker)
  client.send(publish(false))
  await client.until('pubrec 9')
  client.close()
  await broker.stop()
  broker = await startTestBroker({ home: broker.home })
  const again = rawClient(broker)
  again.send(publish(true))
  await again.until('pubrec 9')
  again.send(generate({ cmd: 'pubrel', messageId: 9 }))
  await again.until('pubcomp 9')
  expect(textsOf(broker.events())).toEqual(['lab/dose=1'])
  again.close()
})

test('after a log was put back from a backup a session goes on with it: what was in flight before stands for nothing', async () => {
  const first = await startTestBroker()
  const client = rawClient(first)
  await client.subscribe('lab/#', 2)
  const publisher = await connect(first)
  for (let i = 0; i < 5; i++) await publisher.publishAsync('lab/a', `lost ${i}`, { qos: 2 })
  await eventually(() => expect(client.messages).toHaveLength(5))
  client.close()
  await first.stop()
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${join(first.home, 'event-log.db')}${suffix}`, { force: true })
  const broker = await startTestBroker({ home: first.home })
  const again = rawClient(broker)
  await again.until('connack')
  const anew = await connect(broker)
  for (let i = 0; i < 8; i++) await anew.publishAsync('lab/a', `new ${i}`, { qos: 2 })
  await eventually(() => expect(again.messages).toHaveLength(8))
  expect(again.messages.map(({ payload }) => payload)).toEqual(Array.from({ length: 8 }, (_, i) => `new ${i}`))
})

test.each([
  ['no database', Buffer.alloc(2048, 'x'), 0],
  ['damaged inside', Buffer.alloc(1024, 'x'), 512],
  ['of a later version', Buffer.from([0, 0, 0, 99]), 60],
])('a file of sessions that is %s is put aside, and clients begin anew', async (_, bytes, at) => {
  const first = await startTestBroker()
  const client = rawClient(first)
  await client.subscribe('lab/#', 1)
  client.publish('lab/dose', '1', 2, 7)
  await client.until('pubrec 7')
  await first.stop()
  const path = join(first.home, 'sessions.db')
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
  const broker = await startTestBroker({ home: first.home })
  const again = rawClient(broker)
  again.publish('lab/dose', '2', 2, 7)
  await again.until('pubrec 7')
  expect(again.sessionPresent()).toBe(false)
  expect(textsOf(broker.events())).toEqual(['lab/dose=1', 'lab/dose=2'])
  expect(existsSync(`${path}.unusable`)).toBe(true)
})

test('sessions in the form without a version are taken over, with what is in flight', async () => {
  const first = await startTestBroker()
  const publisher = await connect(first)
  await publishAll(publisher, 0, 5)
  await first.stop()
  const path = join(first.home, 'sessions.db')
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  const old = new Database(path)
  old.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE sessions (client TEXT PRIMARY KEY, sent INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE subscriptions (
      client TEXT, filter TEXT, qos INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (client, filter)) WITHOUT ROWID;
    CREATE TABLE in_flight (
      client TEXT, message_id INTEGER, position INTEGER NOT NULL, qos INTEGER NOT NULL, retain INTEGER NOT NULL,
      released INTEGER NOT NULL, PRIMARY KEY (client, message_id)) WITHOUT ROWID;
    CREATE TABLE received (client TEXT, message_id INTEGER, PRIMARY KEY (client, message_id)) WITHOUT ROWID;
    INSERT INTO sessions VALUES ('raw', 3), ('other', 5);
    INSERT INTO subscriptions VALUES ('raw', 'lab/#', 2, 0);
    INSERT INTO in_flight VALUES ('raw', 11, 2, 1, 0, 0), ('raw', 12, 3, 2, 0, 1), ('raw', 10, 1, 2, 0, 0);`)
  old.close()
  const broker = await startTestBroker({ home: first.home })
  expect(broker.sessionCounts().stored).toBe(2)
  const client = rawClient(broker)
  await eventually(() => expect(client.messages).toHaveLength(4))
  expect(client.sessionPresent()).toBe(true)
  expect(client.seen).toContain('pubrel 12')
  expect(client.messages.map(({ payload, qos, dup }) => [payload, qos, dup])).toEqual([
    ['0', 2, true],
    ['1', 1, true],
    ['3', 1, true],
    ['4', 1, true],
  ])
  expect(client.messages.slice(0, 2).map(({ messageId }) => messageId)).toEqual([10, 11])
})

/** A client whose inbox is open before it connects, as messages come right behind the CONNACK. */
async function connectListening(broker: TestBroker, options: IClientOptions) {
  let inbox: ReturnType<typeof inboxOf> | undefined
  let sessionPresent = false
  const client = await connect(broker, options, (opening) => {
    inbox = inboxOf(opening)
    opening.once('connect', (connack) => {
      sessionPresent = connack.sessionPresent
    })
  })
  if (inbox === undefined) throw new Error('not listening')
  return { client, inbox, sessionPresent }
}

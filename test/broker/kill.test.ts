import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import type { Qos } from '../../events/event.js'
import { eventually } from '../support/eventually.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { type RawClient, rawClient } from './raw-client.js'
import { type BrokerProcess, spawnBroker } from './spawn-broker.js'
import { connect } from './test-broker.js'

async function kill({ child }: BrokerProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Topics and payloads of the log. */
function recorded(home: string): string[] {
  const reader = openEventLogReader(`${home}/event-log.db`)
  const texts = reader.read({ after: 0, limit: 100_000 }).map(({ payload }) => Buffer.from(payload).toString())
  reader.close()
  return texts
}

const ids = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)
const payloads = (client: RawClient): string[] => client.messages.map(({ payload }) => payload)

test('identifiers that were free at the kill stand for new messages: all are recorded', async () => {
  const home = temporaryDirectory()
  const before = await spawnBroker(home)
  const client = rawClient(before)
  for (const id of ids(200)) client.publish('lab/dose', `first ${id}`, 2, id)
  await client.until('pubrec 200')
  for (const id of ids(200)) client.answer('pubrel', id)
  await client.until('pubcomp 200')
  await kill(before)
  const after = await spawnBroker(home)
  const again = rawClient(after)
  for (const id of ids(200)) again.publish('lab/dose', `second ${id}`, 2, id)
  await again.until('pubrec 200')
  expect(again.sessionPresent()).toBe(true)
  expect(recorded(home)).toEqual([...ids(200).map((id) => `first ${id}`), ...ids(200).map((id) => `second ${id}`)])
})

test('a message that was not released at the kill is recorded once, and its release after it frees the identifier', async () => {
  const home = temporaryDirectory()
  const before = await spawnBroker(home)
  const client = rawClient(before)
  for (const id of ids(200)) client.publish('lab/dose', `${id}`, 2, id)
  await client.until('pubrec 200')
  // Every second is released, some of them perhaps without an answer.
  for (const id of ids(200)) if (id % 2 === 0) client.answer('pubrel', id)
  await client.until('pubcomp 2')
  await kill(before)
  const completed = new Set(
    client.seen.filter((text) => text.startsWith('pubcomp')).map((text) => Number(text.split(' ')[1])),
  )
  for (const life of [1, 2]) {
    const broker = await spawnBroker(home)
    const again = rawClient(broker)
    for (const id of ids(200)) if (id % 2 === 1) again.publish('lab/dose', `${id}`, 2, id, true)
    for (const id of ids(200)) if (id % 2 === 0 && !completed.has(id)) again.answer('pubrel', id)
    await again.until('pubrec 199')
    if (life === 2) {
      again.answer('pubrel', 199)
      await again.until('pubcomp 199')
      again.publish('lab/dose', 'new', 2, 199)
      await eventually(() => expect(again.seen.filter((text) => text === 'pubrec 199')).toHaveLength(2))
    }
    await kill(broker)
  }
  expect(recorded(home)).toEqual([...ids(200).map(String), 'new'])
})

test('a session that only holds received identifiers is present, one that a clean connection ended is not', async () => {
  const home = temporaryDirectory()
  const before = await spawnBroker(home)
  const client = rawClient(before)
  client.publish('lab/dose', '1', 2, 7)
  await client.until('pubrec 7')
  await kill(before)
  const after = await spawnBroker(home)
  const present = rawClient(after)
  await present.until('connack')
  expect(present.sessionPresent()).toBe(true)
  const clean = rawClient(after, { clean: true })
  await clean.until('connack')
  await kill(after)
  const last = await spawnBroker(home)
  const anew = rawClient(last)
  anew.publish('lab/dose', '2', 2, 7)
  await anew.until('pubrec 7')
  expect(anew.sessionPresent()).toBe(false)
  expect(recorded(home)).toEqual(['1', '2'])
})

test.each<Qos>([1, 2])(
  'what a subscriber acknowledged a second before a kill is not sent again, QoS %i',
  async (qos) => {
    const home = temporaryDirectory()
    const before = await spawnBroker(home)
    const reader = rawClient(before)
    await reader.subscribe('lab/#', qos)
    const publisher = await connect(before)
    await Promise.all(ids(300).map((i) => publisher.publishAsync('lab/od', `${i}`, { qos })))
    await eventually(() => expect(reader.messages).toHaveLength(300))
    for (const { messageId, payload } of reader.messages)
      if (payload !== '150') reader.answer(qos === 1 ? 'puback' : 'pubrec', messageId)
    if (qos === 2) {
      await reader.until(`pubrel ${reader.messages[299]?.messageId}`)
      for (const { messageId, payload } of reader.messages) if (payload !== '150') reader.answer('pubcomp', messageId)
    }
    // The cursor is saved within a second; a marker tells when.
    const saved = performance.now() + 1100
    await eventually(() => expect(performance.now()).toBeGreaterThan(saved))
    await Promise.all(ids(20).map((i) => publisher.publishAsync('lab/od', `late ${i}`, { qos })))
    await eventually(() => expect(reader.messages).toHaveLength(320))
    await kill(before)
    const after = await spawnBroker(home)
    const again = rawClient(after)
    await eventually(() => expect(again.messages).toHaveLength(21))
    await (await connect(after)).publishAsync('lab/od', 'new', { qos })
    await eventually(() => expect(again.messages).toHaveLength(22))
    expect(payloads(again)).toEqual(['150', ...ids(20).map((i) => `late ${i}`), 'new'])
    expect(again.messages.map(({ dup }) => dup)).toEqual([...ids(21).map(() => true), false])
    const original = reader.messages.find(({ payload }) => payload === '150')
    expect(again.messages[0]?.messageId).toBe(original?.messageId)
    if (qos === 2)
      expect(again.messages.slice(1, 21)).toEqual(reader.messages.slice(300).map((m) => ({ ...m, dup: true })))
  },
)

test('a message of QoS 2 reaches a subscriber once, at whichever answer the broker dies', async () => {
  const home = temporaryDirectory()
  let broker = await spawnBroker(home)
  let client = rawClient(broker)
  await client.subscribe('lab/#', 2)
  const handedOver: string[] = []
  const held = new Map<number, string>()
  /** What an application sees: a message counts when its identifier is new [MQTT-4.3.3-2]. */
  const take = (): void => {
    for (const { messageId, payload } of client.messages.splice(0)) {
      if (!held.has(messageId)) handedOver.push(payload)
      held.set(messageId, payload)
    }
  }
  for (const [round, moment] of (['sent', 'pubrec', 'pubrel', 'pubcomp', 'completed'] as const).entries()) {
    const payload = `${round}`
    await (await connect(broker)).publishAsync('lab/dose', payload, { qos: 2 })
    await eventually(() => expect(payloads(client)).toContain(payload))
    const messageId = client.messages.find((message) => message.payload === payload)?.messageId ?? 0
    take()
    if (moment !== 'sent') client.answer('pubrec', messageId)
    if (moment !== 'sent' && moment !== 'pubrec') await client.until(`pubrel ${messageId}`)
    if (moment === 'pubcomp' || moment === 'completed') {
      held.delete(messageId)
      client.answer('pubcomp', messageId)
    }
    if (moment === 'completed') {
      const later = rawClient(broker, { clientId: 'later', clean: true })
      await later.subscribe('lab/#', 0)
    }
    await kill(broker)
    broker = await spawnBroker(home)
    client = rawClient(broker)
    await client.until('connack')
    // What is in flight comes before anything new.
    await (await connect(broker)).publishAsync('lab/marker', `marker ${round}`, { qos: 2 })
    await eventually(() => expect(payloads(client)).toContain(`marker ${round}`))
    const marker = client.messages.find((message) => message.payload === `marker ${round}`)
    take()
    for (const id of held.keys()) client.answer('pubrec', id)
    for (const id of [...held.keys()]) {
      await client.until(`pubrel ${id}`)
      held.delete(id)
      client.answer('pubcomp', id)
    }
    expect(marker).toBeDefined()
  }
  expect(handedOver.filter((payload) => !payload.startsWith('marker'))).toEqual(['0', '1', '2', '3', '4'])
  expect(handedOver).toHaveLength(10)
}, 60_000)

test('an order older than its reader is not given to it, neither after an absence nor after a kill', async () => {
  const home = temporaryDirectory()
  const ORDER = 'pioreactor/u1/exp/stirring/target_rpm/set'
  let broker = await spawnBroker(home)
  const first = rawClient(broker)
  await first.subscribe('pioreactor/#', 2)
  await first.subscribe('lab/#', 1)
  const order = async (payload: string, qos: Qos): Promise<void> => {
    const publisher = await connect(broker)
    await publisher.publishAsync(ORDER, payload, { qos })
    await publisher.publishAsync('lab/end', payload, { qos: 1 })
  }
  await order('seen 1', 1)
  await order('seen 2', 2)
  await eventually(() => expect(payloads(first)).toEqual(['seen 1', 'seen 1', 'seen 2', 'seen 2']))
  first.close()
  await order('away', 2)
  const second = rawClient(broker)
  await eventually(() =>
    expect(second.messages.map(({ topic, payload }) => `${topic} ${payload}`)).toContain('lab/end away'),
  )
  await order('live', 2)
  await eventually(() =>
    expect(second.messages.map(({ topic, payload }) => `${topic} ${payload}`)).toContain('lab/end live'),
  )
  const ordersOf = (client: RawClient): string[] =>
    client.messages.filter(({ topic }) => topic === ORDER).map(({ payload }) => payload)
  expect(ordersOf(second)).toEqual(['live'])
  await kill(broker)
  broker = await spawnBroker(home)
  const third = rawClient(broker)
  await order('new', 2)
  await eventually(() =>
    expect(third.messages.map(({ topic, payload }) => `${topic} ${payload}`)).toContain('lab/end new'),
  )
  expect(ordersOf(third)).toEqual(['new'])
  // The identifiers of the orders withheld may still be held by the client: they do not come again.
  const withheld = [...first.messages, ...second.messages].filter(({ topic, qos }) => topic === ORDER && qos === 2)
  expect(withheld.map(({ messageId }) => messageId)).not.toContain(
    third.messages.find(({ topic }) => topic === ORDER)?.messageId,
  )
})

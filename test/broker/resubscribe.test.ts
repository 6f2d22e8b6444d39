import { expect, test } from 'vitest'
import type { Qos } from '../../events/event.js'
import { eventually } from '../support/eventually.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, inboxOf } from './test-broker.js'

const ALL_QOS = [0, 1, 2] as const
const CHANGES = ALL_QOS.flatMap((from) => ALL_QOS.filter((to) => to !== from).map((to) => [from, to] as const))
const lower = (a: Qos, b: Qos): Qos => (a < b ? a : b)

test.each([
  ['a clean', true],
  ['a persistent', false],
])('every change of QoS on %s session is granted, and brings the retained value again', async (_, clean) => {
  const broker = await spawnBroker(temporaryDirectory())
  const publisher = await connect(broker)
  await publisher.publishAsync('lab/retained', 'old', { qos: 2, retain: true })
  for (const [from, to] of CHANGES) {
    const clientId = `${from}-to-${to}`
    const client = await connect(broker, { clientId, clean })
    const inbox = inboxOf(client)
    const granted = async (qos: Qos): Promise<unknown> => (await client.subscribeAsync('lab/+', { qos }))[0]?.qos
    expect([clientId, await granted(from), await granted(to)]).toEqual([clientId, from, to])
    await inbox.count(2)
    await publisher.publishAsync('lab/live', clientId, { qos: 2 })
    await inbox.count(3)
    expect(inbox.packets.map(({ topic, qos, retain }) => [topic, qos, retain])).toEqual([
      ['lab/retained', from, true],
      ['lab/retained', to, true],
      ['lab/live', to, false],
    ])
    await client.endAsync()
  }
  expect(broker.child.exitCode).toBeNull()
})

test('a persistent session that comes back with another QoS keeps the new one at its next return', async () => {
  const broker = await spawnBroker(temporaryDirectory())
  const publisher = await connect(broker)
  for (const [from, to] of CHANGES) {
    const options = { clientId: `${from}-to-${to}`, clean: false }
    const topic = `lab/${options.clientId}`
    const first = await connect(broker, options)
    await first.subscribeAsync(topic, { qos: from })
    await first.endAsync()
    const second = await connect(broker, options)
    await second.subscribeAsync(topic, { qos: to })
    await second.endAsync()
    const third = await connect(broker, options)
    const inbox = inboxOf(third)
    await publisher.publishAsync(topic, 'x', { qos: 2 })
    await inbox.count(1)
    await eventually(() => expect(inbox.packets.map(({ qos }) => qos)).toEqual([lower(2, to)]))
    await third.endAsync()
  }
  expect(broker.child.exitCode).toBeNull()
})

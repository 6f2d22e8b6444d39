import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { openBytes } from './byte-client.js'
import { connectPacket, packet, text } from './malformed-packets.js'
import { closed, connect, startTestBroker } from './test-broker.js'

test('a connection that ends while its CONNECT waits for the disk leaves the client id to the connection that has it', async () => {
  const broker = await startTestBroker({ maxPages: 60 })
  const filler = await connect(broker)
  for (let i = 0; i < 40; i++) filler.publish(`lab/${i}`, 'x'.repeat(20_000), { qos: 1 })
  await eventually(() => expect(broker.log.status().writable).toBe(false))
  const first = await openBytes(broker)
  first.send(Buffer.concat([connectPacket(text('MQTT'), 4, 2, 0, 0, text('same')), packet(0x34, text('lab/a'), 0, 1)]))
  await first.answer(4)

  // It asks for a session, so that the identifiers of the first have to be released, and that waits for the disk.
  const second = await openBytes(broker)
  second.send(connectPacket(text('MQTT'), 4, 0, 0, 0, text('same')))
  first.send(packet(0xc0))
  await first.answer(6)
  second.destroy()
  await second.closed()
  broker.log.limitPages(100_000)
  await first.answer(6 + 4)

  const third = await connect(broker, { clientId: 'same' })
  await first.closed()
  const fourth = await connect(broker, { clientId: 'same' })
  await closed(third)
  await fourth.publishAsync('lab/a', 'x', { qos: 1 })
})

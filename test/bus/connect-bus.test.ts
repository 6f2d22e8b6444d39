import { expect, onTestFinished, test } from 'vitest'
import { connectBus } from '../../bus/connect-bus.js'
import { MAX_PACKET_BYTES } from '../../events/limits.js'
import { startTestBroker } from '../broker/test-broker.js'
import { silentLogger } from '../support/silent-logger.js'

const TOPIC = 'lab/notes'
/** What MQTT adds to topic and payload of a PUBLISH with QoS 1. */
const HEADER_BYTES = 4
const LONGEST = MAX_PACKET_BYTES - HEADER_BYTES - TOPIC.length

async function givenBus() {
  const broker = await startTestBroker()
  const bus = await connectBus({
    url: `mqtt://127.0.0.1:${broker.port}`,
    clientId: 'one',
    username: 'service',
    password: 'secret',
    logger: silentLogger,
  })
  onTestFinished(() => bus.close())
  return { broker, bus }
}

test('a message longer than the broker takes is refused; the connection and what follows are not harmed', async () => {
  const { broker, bus } = await givenBus()
  const states: boolean[] = []
  bus.onConnection((connected) => states.push(connected))

  await expect(bus.publish(TOPIC, 'x'.repeat(LONGEST + 1))).rejects.toMatchObject({ code: 'message.too_large' })
  await expect(bus.publish(TOPIC, Buffer.alloc(LONGEST + 1))).rejects.toMatchObject({ code: 'message.too_large' })
  await bus.publish(TOPIC, 'x'.repeat(LONGEST))
  await bus.publish(TOPIC, 'after')

  expect(states).toEqual([true])
  expect(broker.events().flatMap(({ topic, payload }) => (topic === TOPIC ? [payload.length] : []))).toEqual([
    LONGEST,
    'after'.length,
  ])
})

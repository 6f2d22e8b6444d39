import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectBus } from '../../bus/connect-bus.js'
import { MAX_PACKET_BYTES } from '../../events/limits.js'
import { startTestBroker } from '../broker/test-broker.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const TOPIC = 'lab/notes'
/** What MQTT adds to topic and payload of a PUBLISH with QoS 1. */
const HEADER_BYTES = 4
const LONGEST = MAX_PACKET_BYTES - HEADER_BYTES - TOPIC.length

async function givenBus() {
  const broker = await startTestBroker()
  const bus = await connectBus({
    socketPath: broker.socketPath,
    clientId: 'one',
    username: 'service',
    password: 'secret',
    logger: silentLogger,
  })
  onTestFinished(() => bus.close())
  return { broker, bus }
}

test('a path longer than a socket address holds is reached; a wrong password is an error', async () => {
  const deep = join(temporaryDirectory(), 'x'.repeat(60), 'y'.repeat(60))
  mkdirSync(deep, { recursive: true })
  const { socketPath } = await startTestBroker({ socketPath: join(deep, 'broker.sock') })
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  const options = { socketPath, clientId: 'deep', username: 'service', logger: silentLogger }
  const bus = await connectBus({ ...options, password: 'secret' })
  onTestFinished(() => bus.close())
  await bus.publish(TOPIC, 'below')
  await expect(connectBus({ ...options, password: 'wrong' })).rejects.toMatchObject({ code: 4 })
  await expect(connectBus({ ...options, socketPath: join(deep, 'nobody.sock') })).rejects.toMatchObject({
    code: 'ENOENT',
  })
})

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

test('what is subscribed to is heard again after each restart of the broker, and is never said twice', {
  timeout: 60_000,
}, async () => {
  const { broker, bus } = await givenBus()
  const heard: string[] = []
  await bus.subscribe(TOPIC, ({ payload }) => {
    heard.push(payload.toString())
  })
  let running = broker
  for (let restart = 1; restart <= 5; restart++) {
    await running.stop()
    await until(() => !bus.connected, 'the loss to be noticed')
    running = await startTestBroker({ home: broker.home, socketPath: broker.socketPath })
    await until(() => bus.connected, 'the connection to be back')
    const another = await connectBus({
      socketPath: broker.socketPath,
      clientId: `other-${restart}`,
      username: 'service',
      password: 'secret',
      logger: silentLogger,
    })
    await another.publish(TOPIC, `after ${restart}`)
    await until(() => heard.includes(`after ${restart}`), `what was said after restart ${restart}`)
    await another.close()
  }
  expect(heard).toEqual([1, 2, 3, 4, 5].map((restart) => `after ${restart}`))
})

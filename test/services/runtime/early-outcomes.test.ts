import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sendCommand } from '../../../bus/commands.js'
import { connectBus } from '../../../bus/connect-bus.js'
import { createClock } from '../../../clock.js'
import { openEventLogWriter } from '../../../event-log/writer.js'
import { cancelRunCommand } from '../../../events/potentiostat/commands.js'
import { answer } from '../../../services/runtime/answer.js'
import { answerCommands } from '../../../services/runtime/answer-commands.js'
import type { Service } from '../../../services/runtime/service.js'
import { connect, startTestBroker, UNIT } from '../../broker/test-broker.js'
import { eventually } from '../../support/eventually.js'
import { newEvent } from '../../support/memory-log.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

/** What an early log, or a hand that writes into it, may hold at worst: retained where orders are now, and readable as one. */
const outcome = { id: 'cancel_run', accepted: true, run_id: 'yesterday', timestamp: '2026-11-20T09:41:57.000Z' }
const topic = cancelRunCommand.topic({ unit: UNIT })

async function startUponEarlyLog() {
  const home = temporaryDirectory()
  const log = await openEventLogWriter({
    path: join(home, 'event-log.db'),
    clock: createClock(),
    logger: silentLogger,
  })
  await log.append([newEvent({ topic, payload: outcome, retain: true })])
  await log.close()
  const broker = await startTestBroker({ home })
  const cancelled: string[] = []
  const service: Service = {
    name: 'stub',
    commands: [
      answer(cancelRunCommand, async ({ run_id }) => {
        cancelled.push(run_id)
        return { run_id }
      }),
    ],
    suspend: async () => undefined,
    resume: async () => undefined,
    stop: async () => undefined,
  }
  const { socketPath } = broker
  const bus = await connectBus({
    ...{ socketPath, clientId: 'services', username: 'service', password: 'secret' },
    logger: silentLogger,
  })
  onTestFinished(() => bus.close())
  await answerCommands((name) => service.commands.find(({ command }) => command.name === name), {
    bus,
    unit: UNIT,
    clock: createClock(),
    logger: silentLogger,
  })
  return { broker, bus, cancelled }
}

test('an outcome that is retained where orders are now is not taken for an order', async () => {
  const { broker, bus, cancelled } = await startUponEarlyLog()
  expect(broker.reader.retained('#').map((event) => event.topic)).toEqual([topic])
  // The retained value comes with the subscription, so before the answer to what is ordered after it.
  expect(await sendCommand(bus, UNIT, cancelRunCommand, { run_id: 'today' })).toEqual({ run_id: 'today' })
  expect(cancelled).toEqual(['today'])
})

test('a retained order is refused, and the refusal recorded', async () => {
  const { broker, cancelled } = await startUponEarlyLog()
  const client = await connect(broker)
  await client.publishAsync(topic, '{"run_id":"tomorrow"}', { qos: 1, retain: true })
  await client.publishAsync(topic, '{"run_id":"today"}', { qos: 1 })
  await eventually(() => expect(cancelled).toEqual(['today']))
  const refusals = broker.events().filter((event) => event.topic === `system/${UNIT}/refusals`)
  expect(refusals.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
    expect.stringContaining('a command is never retained'),
  ])
})

test('who orders on the topics of an early version is refused', async () => {
  const { broker, cancelled } = await startUponEarlyLog()
  const client = await connect(broker)
  await client.publishAsync(`system/${UNIT}/request/cancel_run`, '{"run_id":"early"}', { qos: 1 })
  await client.publishAsync(topic, '{"run_id":"today"}', { qos: 1 })
  await eventually(() => expect(cancelled).toEqual(['today']))
  expect(broker.events().map((event) => event.topic)).toContain(`system/${UNIT}/refusals`)
})

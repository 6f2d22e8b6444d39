import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { startBroker } from '../../broker/start-broker.js'
import { createClock } from '../../clock.js'
import { createAttempts } from '../../doors/attempts.js'
import { openEventLogReader } from '../../event-log/reader.js'
import { openEventLogWriter } from '../../event-log/writer.js'
import { instruments } from '../../instruments.js'
import {
  cv,
  jobRecord,
  odReading,
  order,
  progress,
  report,
  samples,
  setting,
  slotState,
} from '../projections/lab-events.js'
import { newEvent, type TestEvent } from './memory-log.js'
import { silentLogger } from './silent-logger.js'

/** Writes a small log as this version does, for `test/fixtures/log-v<version>`: node dist/test/support/write-log-fixture.js <directory> */
const [directory = ''] = process.argv.slice(2)
mkdirSync(directory, { recursive: true })
const path = join(directory, 'event-log.db')
const clock = createClock()
const log = await openEventLogWriter({ path, clock, logger: silentLogger })
const reader = openEventLogReader(path)
const broker = await startBroker({
  log,
  reader,
  clock,
  logger: silentLogger,
  unit: 'u1',
  host: '127.0.0.1',
  isOwnHost: () => true,
  port: 0,
  wsPort: 0,
  sessionsPath: join(directory, 'sessions.db'),
  servicePassword: 'secret',
  leaderPassword: '',
  workerPassword: '',
  names: [],
  mqttUsername: '',
  mqttPassword: '',
  topics: instruments.map(({ topics }) => topics),
  recordExclude: [],
  attempts: createAttempts(),
  socketPath: join(directory, 'broker.sock'),
})
const connect = (options: mqtt.IClientOptions): Promise<mqtt.MqttClient> =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4, ...options })

const services = await connect({ clientId: 'services', username: 'service', password: 'secret' })
const publish = async (events: readonly TestEvent[]): Promise<void> => {
  for (const { topic, payload, qos, retain } of events.map(newEvent)) {
    await services.publishAsync(topic, Buffer.from(payload), { qos, retain })
  }
}

const dashboard = await connect({ clientId: 'dashboard', clean: false })
await dashboard.subscribeAsync({ 'pioreactor/+/+/stirring/#': { qos: 1 }, 'flow/#': { qos: 2 } })

await publish([
  jobRecord(1),
  setting('$state', 'ready'),
  setting('target_rpm', '500'),
  { ...setting('target_rpm/set', '600'), retain: false },
  setting('target_rpm', '600'),
  odReading('1', 0.031, '2026-11-20T09:00:05.000Z'),
  odReading('2', 0.029, '2026-11-20T09:00:05.000Z'),
  { topic: 'pioreactor/u1/exp/dosing_events', payload: { volume_change: 0.5, event: 'add_media' }, retain: false },
  order('run-1', { modes: [cv(4)], warnings: ['recorded without a code'] }),
  slotState('run-1', 'running', { mode_index: 0 }),
  samples('run-1', 0, 4),
  progress('run-1', 50, 1),
  slotState('run-1', 'done', { reports: [report(0, 4)] }),
  jobRecord(2, { job_name: 'od_reading' }),
  jobRecord(2, { job_name: 'od_reading', is_running: false, state: 'disconnected' }),
])
await dashboard.endAsync()

// Enough for a link of the hash chain, while the dashboard is away.
await publish(Array.from({ length: 1050 }, (_, i) => setting('measured_rpm', `${500 + (i % 7)}`)))

const flow = await connect({ clientId: 'flow', clean: false })
await flow.publishAsync('flow/binary', Buffer.from([0, 255, 254, 128, 10]), { qos: 2, retain: true })
await flow.publishAsync('flow/µ', 'Ω', { qos: 1 })
await flow.publishAsync('flow/once', 'x', { qos: 0 })
await flow.publishAsync('flow/cleared', 'here', { qos: 2, retain: true })
await flow.publishAsync('flow/cleared', '', { qos: 2, retain: true })
await flow.publishAsync('pioreactor/u1/exp/stirring/target_rpm', 'refused', { qos: 1 })
await flow.endAsync()

// Received and not released: their clients have not come back.
const held = { payload: Buffer.from('held'), qos: 2, retain: false } as const
await log.append(
  [1, 2, 3].map((messageId) => ({ ...held, topic: `flow/held/${messageId}`, client: 'gone', messageId })),
)
await log.append([], [{ client: 'gone', messageId: 2 }])
await publish([setting('$state', 'sleeping'), { topic: 'pioreactor/u1/exp/stirring/target_rpm', payload: '' }])

await services.endAsync()
await broker.stop()
reader.close()
await log.close()

import { join } from 'node:path'
import { startBroker } from '../../broker/start-broker.js'
import { createClock } from '../../clock.js'
import { createAttempts } from '../../doors/attempts.js'
import { openEventLogReader } from '../../event-log/reader.js'
import { openEventLogWriter } from '../../event-log/writer.js'
import { instruments } from '../../instruments.js'
import { silentLogger } from '../support/silent-logger.js'

/** A broker as a process of its own, to be killed: `node broker-process.js <directory>`; tells its ports to its parent. */
const [home = ''] = process.argv.slice(2)
const path = join(home, 'event-log.db')
const clock = createClock()
const log = await openEventLogWriter({ path, clock, logger: silentLogger })
const { port, wsPort } = await startBroker({
  log,
  reader: openEventLogReader(path),
  clock,
  logger: silentLogger,
  unit: 'u1',
  host: '127.0.0.1',
  isOwnHost: () => true,
  attempts: createAttempts(),
  port: 0,
  wsPort: 0,
  sessionsPath: join(home, 'sessions.db'),
  socketPath: join(home, 'broker.sock'),
  servicePassword: 'secret',
  mqttUsername: '',
  mqttPassword: '',
  leaderPassword: '',
  workerPassword: '',
  names: [],
  topics: instruments.map(({ topics }) => topics),
  recordExclude: [],
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.send?.({ port, wsPort })

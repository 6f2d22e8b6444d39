import { join } from 'node:path'
import { startBroker } from '../broker/start-broker.js'
import { createClock } from '../clock.js'
import { createAttempts } from '../doors/attempts.js'
import { openEventLogReader } from '../event-log/reader.js'
import { openEventLogWriter } from '../event-log/writer.js'
import { instruments } from '../instruments.js'
import { quiet } from './quiet.js'
import { CREDENTIALS } from './wire.js'

/** The recording broker and its log as a process of their own: `benchlog-broker.js <directory>`. Tells its port to its parent and
 * ends with it. */
const [directory = ''] = process.argv.slice(2)
const path = join(directory, 'event-log.db')
const clock = createClock()
const log = await openEventLogWriter({ path, clock, logger: quiet })
const { port } = await startBroker({
  log,
  reader: openEventLogReader(path),
  clock,
  logger: quiet,
  unit: 'u1',
  host: '127.0.0.1',
  isOwnHost: () => true,
  attempts: createAttempts(),
  port: 0,
  wsPort: 0,
  sessionsPath: join(directory, 'sessions.db'),
  socketPath: join(directory, 'broker.sock'),
  servicePassword: CREDENTIALS.password,
  mqttUsername: '',
  mqttPassword: '',
  leaderPassword: '',
  workerPassword: '',
  names: [],
  topics: instruments.map(({ topics }) => topics),
  recordExclude: [],
})
process.send?.({ port })
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))

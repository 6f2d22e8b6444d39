import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { startBridge } from '../bridge/start-bridge.js'
import { createClock } from '../clock.js'
import { openEventLogWriter } from '../event-log/writer.js'
import { createLogger } from '../logger.js'
import { describeLoad } from './machine.js'
import { startMosquitto } from './peers.js'
import { median } from './quantiles.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const EVENTS = 60_000
const BATCH = 2000
const ROUNDS = 3

/** A backlog on its way to a Mosquitto: by the bridge, and by Mosquitto's own bridge from a second Mosquitto. */
export const bridgeScenario: Scenario = {
  name: 'bridge',
  summary: `forwarding to another broker: ${EVENTS} messages of 90 B with QoS 1, messages/s at a subscriber of the far end`,
  async run(print: Print) {
    const directory = await mkdtemp(join(tmpdir(), 'benchlog-bridge-'))
    try {
      const far = await startMosquitto('far', await mkdtemp(join(directory, 'far-')), [])
      if (far === null) return print('Mosquitto is not installed.')
      const ours: number[] = []
      const theirs: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await farRate(far.port, () => forwardLog(join(directory, `log-${round}`), far.port)))
        theirs.push(await farRate(far.port, () => forwardByMosquitto(directory, far.port)))
      }
      await far.stop()
      const ratio = median(ours) / median(theirs)
      const row = (name: string, rates: readonly number[]) => [name, formatCount(median(rates))]
      print(renderTable(['', 'messages/s'], [row('the bridge, from the log', ours), row("Mosquitto's bridge", theirs)]))
      print(verdict(ratio >= 1, "at least as fast as Mosquitto's own bridge", `${ratio.toFixed(2)} ×`))
      print(
        `median of ${ROUNDS} rounds; Mosquitto's is fed by the process that counts, ours by the log; ${describeLoad()}`,
      )
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}

/** Messages a second, from the first to the last, at a subscriber. @param forward resolves with what ends it */
async function farRate(port: number, forward: () => Promise<() => Promise<unknown>>): Promise<number> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 })
  let first = 0
  let count = 0
  const all = new Promise<number>((resolve) => {
    client.on('message', (_topic, _payload, { retain }) => {
      if (retain) return
      if (count++ === 0) first = performance.now()
      if (count === EVENTS) resolve(performance.now())
    })
  })
  await client.subscribeAsync('#', { qos: 0 })
  const end = await forward()
  const last = await all
  await end()
  await client.endAsync()
  return ((EVENTS - 1) * 1000) / (last - first)
}

async function forwardLog(directory: string, port: number): Promise<() => Promise<unknown>> {
  const eventLogPath = join(directory, 'event-log.db')
  const logger = createLogger('silent', 'bench')
  const log = await openEventLogWriter({ path: eventLogPath, clock: createClock(), logger })
  const event = {
    topic: 'pioreactor/u1/exp/job/value',
    payload: Buffer.alloc(90, 'x'),
    qos: 1,
    retain: false,
    client: 'b',
  } as const
  for (let sent = 0; sent < EVENTS; sent += BATCH) await log.append(Array.from({ length: BATCH }, () => event))
  const bridge = startBridge(
    {
      ...{ unit: 'u1', box: 'u1', rights: [{ root: 'pioreactor' }], families: ['pioreactor'], floor: 0, ownPort: 0 },
      ...{ peer: { host: '127.0.0.1', port, tls: null }, importer: 'bridge', own: null, eventLogPath },
      cursorPath: join(directory, 'bridge', 'cursor.json'),
    },
    logger,
  )
  return async () => {
    await bridge.stop()
    await log.close()
  }
}

async function forwardByMosquitto(directory: string, port: number): Promise<() => Promise<unknown>> {
  const settings = [
    'connection far',
    `address 127.0.0.1:${port}`,
    'topic # out 1',
    'notifications false',
    'restart_timeout 1',
  ]
  const near = await startMosquitto('near', await mkdtemp(join(directory, 'near-')), settings)
  if (near === null) throw new Error('Mosquitto is not installed')
  // Until its bridge is up; what comes before waits there and is forwarded too.
  await delay(2000)
  const client = await connectAsync(`mqtt://127.0.0.1:${near.port}`, { protocolVersion: 4 })
  const payload = Buffer.alloc(90, 'x')
  for (let sent = 0; sent < EVENTS; sent += 1000) {
    await Promise.all(
      Array.from({ length: 1000 }, () => client.publishAsync('pioreactor/u1/exp/job/value', payload, { qos: 1 })),
    )
  }
  return async () => {
    await client.endAsync()
    await near.stop()
  }
}

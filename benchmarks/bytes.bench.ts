import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectAsync, type MqttClient } from 'mqtt'
import { createLabHome } from '../test/support/start-lab.js'
import { endChild } from './load.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'
import { traceWrites, type Writes } from './traced-writes.js'
import { CREDENTIALS } from './wire.js'

/** One after the other, each in a transaction of its own: some checkpoints of the write-ahead log are among them. */
const EVENTS = 8000
/** A bench at rest. */
const SECONDS = 60
const PAYLOAD = Buffer.alloc(60, '0')
/** Bytes in write calls per event. */
const LOG_FLOOR = 1700
const SUBSCRIBER_FLOOR = 600

interface Measured {
  readonly name: string
  readonly events: number
  readonly writes: Writes | null
}

/** What one event costs the medium, in bytes of write calls and in fsyncs; checkpoints are included. */
export const bytesScenario: Scenario = {
  name: 'bytes',
  summary: 'bytes in write calls, and fsyncs, of one QoS 1 event alone in its transaction',
  async run(print: Print) {
    const measured = [
      await bareInsert(1024),
      await bareInsert(4096),
      await brokerAlone(),
      await wholeUnit(false),
      await wholeUnit(true),
    ]
    if (measured.some(({ writes }) => writes === null)) {
      print('strace is not installed, or may not attach to a process of its own user.')
      return
    }
    report(print, measured)
  },
}

function report(print: Print, measured: readonly Measured[]): void {
  const perEvent = ({ writes, events }: Measured, file: string, what: 'bytes' | 'syncs' = 'bytes'): number =>
    (writes?.get(file)?.[what] ?? 0) / events
  const files = ['event-log.db', 'sessions.db', 'read-models.db']
  const rows = measured.map((one) => {
    const log = one.name.startsWith('bare') ? 'bare.db' : 'event-log.db'
    const bytes = files.map((file) => formatCount(perEvent(one, file === 'event-log.db' ? log : file)))
    return [one.name, formatCount(one.events), ...bytes, perEvent(one, log, 'syncs').toFixed(2)]
  })
  print(renderTable(['', 'events', 'log, bytes', 'sessions', 'read models', 'fsyncs of the log'], rows))
  const [, , alone, , subscribed] = measured
  if (alone === undefined || subscribed === undefined) return
  const log = Math.max(perEvent(alone, 'event-log.db'), perEvent(subscribed, 'event-log.db'))
  print(verdict(log <= LOG_FLOOR, `the log takes at most ${LOG_FLOOR} bytes`, formatCount(log)))
  const sessions = perEvent(subscribed, 'sessions.db')
  print(verdict(sessions <= SUBSCRIBER_FLOOR, `a subscriber adds at most ${SUBSCRIBER_FLOOR}`, formatCount(sessions)))
  print(describeLoad())
}

async function bareInsert(pageBytes: number): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'benchlog-bytes-'))
  const child = fork(fileURLToPath(new URL('bare-insert.js', import.meta.url)), [directory, String(pageBytes)])
  await once(child, 'message')
  const writes = await traceWrites(Number(child.pid), async () => {
    child.send(EVENTS)
    await once(child, 'message')
  })
  await endChild(child)
  await rm(directory, { recursive: true, force: true })
  return { name: `bare SQLite insert, pages of ${pageBytes}`, events: EVENTS, writes }
}

async function brokerAlone(): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'benchlog-bytes-'))
  const child = fork(fileURLToPath(new URL('benchlog-broker.js', import.meta.url)), [directory])
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { ...CREDENTIALS, protocolVersion: 4 })
  const writes = await traceWrites(Number(child.pid), () => publish(client, EVENTS, 0))
  await client.endAsync()
  await endChild(child)
  await rm(directory, { recursive: true, force: true })
  return { name: 'broker and log alone', events: EVENTS, writes }
}

/** At one event per second, which is what the pace of sessions and read models is made for. */
async function wholeUnit(subscribed: boolean): Promise<Measured> {
  const lab = createLabHome()
  try {
    const unit = await lab.start({ LOG_LEVEL: 'silent', SIMULATED_POTENTIOSTATS: '0' })
    const clients = [await unit.connect({ clientId: 'bytes-publisher' })]
    if (subscribed) {
      const subscriber = await unit.connect({ clientId: 'bytes-subscriber', clean: false })
      await subscriber.subscribeAsync('bench/#', { qos: 1 })
      clients.push(subscriber)
    }
    const [publisher] = clients
    if (publisher === undefined) throw new Error('no publisher')
    // What a start leaves to be written is written by then.
    await delay(5000)
    const writes = await traceWrites(Number(unit.main.pid), () => publish(publisher, SECONDS, 1000, 'bench/job'))
    for (const client of clients) await client.endAsync()
    await unit.interrupt()
    return { name: `whole unit${subscribed ? ', a persistent subscriber' : ''}, 1/s`, events: SECONDS, writes }
  } finally {
    await lab.remove()
  }
}

async function publish(
  client: MqttClient,
  count: number,
  pauseMs: number,
  root = 'pioreactor/u1/bench/job_000',
): Promise<void> {
  for (let i = 0; i < count; i++) {
    await client.publishAsync(`${root}/setting_${String(i % 100).padStart(3, '0')}`, PAYLOAD, { qos: 1, retain: true })
    if (pauseMs > 0) await delay(pauseMs)
  }
}

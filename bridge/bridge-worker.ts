import { parentPort, workerData } from 'node:worker_threads'
import { connectBus } from '../bus/connect-bus.js'
import { COMMIT_CHANNEL } from '../event-log/commit-channel.js'
import { openEventLogReader } from '../event-log/reader.js'
import type { Logger } from '../events/ports.js'
import type { TopicRights } from '../events/topic-rights.js'
import { Alarm } from '../primitives/alarm.js'
import { Bridge, type BridgeOptions, type BridgeStatus } from './bridge.js'
import { Imports } from './imports.js'
import { createRoutes } from './routes.js'
import { Wills } from './wills.js'

export interface BridgeWorkerData extends Omit<BridgeOptions, 'routes'> {
  readonly eventLogPath: string
  readonly box: string
  readonly rights: readonly TopicRights[]
  readonly families: readonly string[]
  /** Our own broker, where what comes from the peer is published; null: nothing comes in. */
  readonly own: { readonly socketPath: string; readonly password: string } | null
}

/** Its own connections are told by the state of the bridge. */
const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}

/** How often what has changed is told. */
const TELL_MS = 250

/** Body of the thread: everything that has to do with the peer, so that nothing of it costs the main thread its time. Ends on any message. */
async function main(data: BridgeWorkerData): Promise<void> {
  const stop = new AbortController()
  parentPort?.once('message', () => stop.abort())
  const reader = openEventLogReader(data.eventLogPath)
  const [alarm, alarmOfWills] = [new Alarm(stop.signal), new Alarm(stop.signal)]
  const commits = new BroadcastChannel(COMMIT_CHANNEL)
  commits.onmessage = () => {
    alarm.ring()
    alarmOfWills.ring()
  }
  const routes = createRoutes(data)
  // As a service: it may publish what a leader says. In the log stands the name of the peer.
  const bus =
    data.own === null
      ? null
      : await connectBus({ ...data.own, clientId: data.importer, username: 'service', logger: quiet })
  const imports = bus === null ? null : new Imports(reader, routes, bus)
  const bridge = new Bridge(reader, { ...data, routes }, imports)
  const wills = new Wills(reader, {
    ...data,
    isConnected: () => bridge.status().connected,
    sayAgain: (topic, payload) => bridge.sayAgain(topic, payload),
  })
  let told = ''
  const tell = (): void => {
    const status: BridgeStatus = bridge.status()
    if (JSON.stringify(status) === told) return
    told = JSON.stringify(status)
    parentPort?.postMessage(status)
  }
  const telling = setInterval(tell, TELL_MS)
  tell()
  try {
    await Promise.all([bridge.run(alarm, stop.signal), wills.run(alarmOfWills, stop.signal)])
    tell()
  } finally {
    clearInterval(telling)
    commits.close()
    await bus?.close()
    reader.close()
    parentPort?.close()
  }
}

await main(workerData as BridgeWorkerData)

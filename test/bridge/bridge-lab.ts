import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'
import { cursorPath } from '../../bridge/cursor-file.js'
import { type Peer, peerName } from '../../bridge/peer.js'
import { type RunningBridge, startBridge } from '../../bridge/start-bridge.js'
import { createClock } from '../../clock.js'
import { openEventLogReader, type PagingEventLogReader } from '../../event-log/reader.js'
import { type OwnedEventLogWriter, openEventLogWriter } from '../../event-log/writer.js'
import type { NewEvent } from '../../events/event.js'
import type { Logger } from '../../events/ports.js'
import { systemRights } from '../../events/topic-rights.js'
import { instruments } from '../../instruments.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const rights = [...instruments.map(({ topics }) => topics), systemRights]

/** An event of a log, as a test needs it. */
export const event = (topic: string, payload = '', rest: Partial<NewEvent> = {}): NewEvent => ({
  topic,
  payload: Buffer.from(payload),
  qos: 1,
  retain: false,
  client: 'test',
  ...rest,
})

/** `count` numbered events of one job. */
export const numbered = (from: number, count: number): NewEvent[] =>
  Array.from({ length: count }, (_, index) =>
    event('pioreactor/u1/exp/job/count', String(from + index), { retain: true }),
  )

export interface BridgeLab {
  readonly log: OwnedEventLogWriter
  readonly reader: PagingEventLogReader
  /** A bridge from it to the peer, stopped with the test. */
  bridgeTo(peer: Peer, options?: { families?: readonly string[]; floor?: number; logger?: Logger }): RunningBridge
  /** Waits until the peer has acknowledged everything. */
  caughtUp(bridge: RunningBridge): Promise<void>
}

/** A log of a unit `u1` with a box `left`. */
export async function createBridgeLab(): Promise<BridgeLab> {
  const home = temporaryDirectory()
  const eventLogPath = join(home, 'event-log.db')
  const log = await openEventLogWriter({ path: eventLogPath, clock: createClock(), logger: silentLogger })
  const reader = openEventLogReader(eventLogPath)
  onTestFinished(async () => {
    reader.close()
    await log.close()
  })
  return {
    log,
    reader,
    bridgeTo(peer, { families = rights.map(({ root }) => root), floor = 0, logger = silentLogger } = {}) {
      const bridge = startBridge(
        {
          ...{ peer, unit: 'u1', box: 'left', rights, families, floor, eventLogPath },
          ownPort: 1,
          own: null,
          importer: `bridge ${peerName(peer)}`,
          cursorPath: cursorPath(join(home, 'bridge'), peerName(peer)),
        },
        logger,
      )
      onTestFinished(() => bridge.stop())
      return bridge
    },
    caughtUp: (bridge) =>
      until(
        () => bridge.status().position === reader.lastPosition(),
        () => JSON.stringify({ ...bridge.status(), last: reader.lastPosition() }),
        60_000,
      ),
  }
}

/** What a client of the peer is given from now on, as `topic payload`; what is retained there at the subscription is left out. */
export async function listen(client: MqttClient, filter = '#'): Promise<string[]> {
  const received: string[] = []
  client.on('message', (topic, payload, { retain }) => {
    if (!retain) received.push(`${topic} ${payload.toString()}`)
  })
  await client.subscribeAsync(filter, { qos: 1 })
  return received
}

/** What the peer retains, by topic. */
export async function retainedAt(client: MqttClient, filter: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  let last = performance.now()
  const take = (topic: string, payload: Buffer, { retain }: { readonly retain: boolean }): void => {
    if (!retain) return
    last = performance.now()
    found.set(topic, payload.toString())
  }
  client.on('message', take)
  await client.subscribeAsync(filter, { qos: 1 })
  await until(() => performance.now() - last > 300, 'retained values to end')
  client.off('message', take)
  await client.unsubscribeAsync(filter)
  return found
}

/** Without what came more than once. */
export const firstOnes = (received: readonly string[]): readonly string[] => [...new Set(received)]

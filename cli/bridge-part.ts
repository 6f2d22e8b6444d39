import { join } from 'node:path'
import type { BridgeWorkerData } from '../bridge/bridge-worker.js'
import { cursorPath } from '../bridge/cursor-file.js'
import { type Peer, peerName } from '../bridge/peer.js'
import { type RunningBridge, startBridge } from '../bridge/start-bridge.js'
import { tellBridge } from '../bridge/tell-bridge.js'
import type { Config } from '../config.js'
import { listItems } from '../events/core/setting.js'
import type { Clock, Logger, MessageBus } from '../events/ports.js'
import { systemRights } from '../events/topic-rights.js'
import { instruments } from '../instruments.js'
import { findPeer } from './bridge-peer.js'
import { readServicePassword } from './home.js'
import type { RunningLog } from './parts.js'

/** The bridge of a unit, and what health says of it. */
export interface BridgePart {
  degradations(): readonly string[]
  stop(): Promise<void>
}

interface BridgeSurroundings {
  readonly log: RunningLog
  readonly bus: MessageBus
  readonly clock: Clock
  readonly logger: Logger
  /** Of our own broker. */
  readonly mqttPort: number
}

/** Starts the bridge to the peer that settings or configuration name; null when they name none. */
export async function startBridgePart(config: Config, surroundings: BridgeSurroundings): Promise<BridgePart | null> {
  const { log, bus, clock, logger, mqttPort } = surroundings
  // Before anything is awaited: what comes from now on is the peer's.
  const floor = log.reader.lastPosition()
  const peer = await findPeer(config).catch((error: unknown) => {
    logger.error({ err: error }, 'no bridge: the configuration does not say to which broker')
    return null
  })
  if (peer === null) return null
  const { unit } = config
  const bridge: RunningBridge = startBridge(workerData(config, peer, floor, mqttPort), logger)
  const teller = tellBridge({ unit, bridge, bus, clock, logger, lastPosition: () => log.reader.lastPosition() })
  return {
    degradations: () => [teller.sentence()].filter((sentence) => sentence !== null),
    stop() {
      teller.stop()
      return bridge.stop()
    },
  }
}

function workerData(config: Config, peer: Peer, floor: number, ownPort: number): BridgeWorkerData {
  const { unit, box, home, eventLogPath, brokerSocketPath, bridgeFamilies } = config
  const rights = [...instruments.map(({ topics }) => topics), systemRights]
  const named = listItems(bridgeFamilies)
  return {
    ...{ peer, unit, box, rights, floor, ownPort, eventLogPath },
    families: named.length > 0 ? named : rights.map(({ root }) => root),
    importer: `bridge ${peerName(peer)}`,
    own: { socketPath: brokerSocketPath, password: readServicePassword(config) },
    cursorPath: cursorPath(join(home, 'bridge'), peerName(peer)),
  }
}

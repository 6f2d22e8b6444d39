import { Worker } from 'node:worker_threads'
import type { Logger } from '../events/ports.js'
import { deadline } from '../primitives/deadline.js'
import { realTime } from '../primitives/timer.js'
import type { BridgeStatus } from './bridge.js'
import type { BridgeWorkerData } from './bridge-worker.js'
import { peerName } from './peer.js'

export interface RunningBridge {
  /** Host and port of the peer. */
  readonly peer: string
  status(): BridgeStatus
  /** Sends what is in the log by now, if that is quickly done, and ends. */
  stop(): Promise<void>
}

const RESTART_MS = 1000
const STOP_MS = 3000
/** What a thousand messages in flight and the topics of the peer need is a fraction of it. */
const HEAP_MB = 256

/** Starts the bridge to a peer in a thread of its own, and again when that ends by itself. Resolves at once: a peer need not be there. */
export function startBridge(workerData: BridgeWorkerData, parentLogger: Logger): RunningBridge {
  const peer = peerName(workerData.peer)
  const logger = parentLogger.child({ peer })
  const stopping = new AbortController()
  let status: BridgeStatus = { connected: false, reason: null, position: workerData.floor, repeated: 0 }
  let worker: Worker | undefined

  /** Where an outage that was logged began; null: none. One that ends without anything getting there is the same outage still. */
  let outageAt: number | null = null
  const take = (next: BridgeStatus): void => {
    const { connected, reason, position } = next
    if (!connected && reason !== null && outageAt === null) {
      outageAt = position
      logger.warn({ reason }, 'the bridge is not connected')
    }
    if (connected && outageAt !== null && position > outageAt) {
      outageAt = null
      logger.info({ position }, 'the bridge is connected')
    }
    status = next
  }
  const once = (): Promise<void> => {
    const thread = new Worker(new URL('./bridge-worker.js', import.meta.url), {
      workerData,
      name: 'bridge',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    worker = thread
    thread.on('message', take)
    thread.on('error', (error) => take({ ...status, connected: false, reason: error.message }))
    return new Promise((resolve) => thread.once('exit', () => resolve()))
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await once()
      if (status.connected) take({ ...status, connected: false, reason: 'the thread of the bridge ended' })
      await realTime.sleepUntil(realTime.monotonicMs() + RESTART_MS, stopping.signal)
    }
  })()
  return {
    peer,
    status: () => status,
    async stop() {
      stopping.abort()
      worker?.postMessage('stop')
      await deadline(STOP_MS, running, () => worker?.terminate())
    },
  }
}

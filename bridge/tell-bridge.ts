import { publishEvent } from '../bus/publish-event.js'
import { timestampOf } from '../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../events/ports.js'
import { type BridgeRecord, bridgeEvent } from '../events/system/bridge.js'
import { realTime, type Timer } from '../primitives/timer.js'
import type { RunningBridge } from './start-bridge.js'

const LOOK_MS = 10_000

export interface BridgeWatch {
  readonly unit: string
  readonly bridge: RunningBridge
  readonly bus: Pick<MessageBus, 'publish'>
  readonly clock: Clock
  readonly logger: Logger
  /** Of the log. */
  lastPosition(): number
  readonly timer?: Timer
}

type Told = Omit<BridgeRecord, 'timestamp'>

/** Tells how far the peer is behind. What is told is an event itself, and goes to the peer: so only when the state changes, or the distance has
 * doubled or halved. */
export function tellBridge(watch: BridgeWatch): { sentence(): string | null; stop(): void } {
  const { unit, bridge, bus, clock, logger, timer = realTime } = watch
  const stop = new AbortController()
  let told: Told | null = null
  // What is recorded while this looks is acknowledged a moment later: only what was there at the last look counts.
  let due = 0

  const present = (): Told => {
    const { connected, reason, position, repeated } = bridge.status()
    const last = watch.lastPosition()
    return {
      peer: bridge.peer,
      state: !connected ? 'away' : position < due ? 'behind' : 'current',
      events_behind: Math.max(0, last - position),
      events_repeated: repeated,
      reason: connected ? null : reason,
    }
  }
  async function look(): Promise<void> {
    const found = present()
    due = watch.lastPosition()
    if (told !== null && !isWorthTelling(told, found)) return
    await publishEvent(bus, bridgeEvent, { unit }, { ...found, timestamp: timestampOf(clock.now()) })
    told = found
  }
  const looking = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await timer.sleepUntil(timer.monotonicMs() + LOOK_MS, stop.signal)
      if (stop.signal.aborted) return
      await look().catch((error: unknown) => logger.debug({ err: error }, 'state of the bridge not told'))
    }
  }
  void looking()
  return {
    sentence() {
      const { state, peer, events_behind, reason } = present()
      if (state === 'current') return null
      if (state === 'behind') return `${peer}, the peer of the bridge, is ${events_behind} events behind.`
      return `The bridge to ${peer} is not connected${reason === null ? '' : `: ${reason}`}; ${events_behind} events wait.`
    },
    stop: () => stop.abort(),
  }
}

function isWorthTelling(told: Told, found: Told): boolean {
  if (told.state !== found.state) return true
  if (found.state === 'current') return false
  return found.events_behind >= 2 * told.events_behind || 2 * found.events_behind <= told.events_behind
}

import { publishEvent } from '../bus/publish-event.js'
import type { Config } from '../config.js'
import { timestampOf } from '../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../events/ports.js'
import { type ProjectionsRecord, projectionsEvent } from '../events/system/projections.js'
import { realTime, type Timer } from '../primitives/timer.js'
import { openReadModels } from '../projections/read-models.js'
import type { RunningProjections } from '../projections/start-projections.js'
import type { RunningLog } from './parts.js'

/** From one look to the next, ms of the machine. */
const LOOK_MS = 10_000

interface ProjectionsWatch {
  readonly unit: string
  readonly bus: MessageBus
  readonly clock: Clock
  readonly logger: Logger
  /** Of the log. */
  lastPosition(): number
  /** Of the read models. */
  position(): Promise<number>
  parkedEvents(): Promise<number>
  /** What keeps them from going on. */
  degradations(): readonly string[]
  readonly timer?: Timer
}

/** Tells how the read models follow the log, when it changes: what is told is an event itself, and is not to be followed by another one.
 * @returns what ends it */
export function tellProjections(watch: ProjectionsWatch): () => void {
  const { unit, bus, clock, logger, timer = realTime } = watch
  const stop = new AbortController()
  let told = ''
  // What is recorded while this looks is folded a moment later: only what was there at the last look counts.
  let due = watch.lastPosition()

  async function look(): Promise<void> {
    const behind = Math.max(0, due - (await watch.position()))
    due = watch.lastPosition()
    const [reason = null] = watch.degradations()
    const found = {
      state: reason !== null ? 'failed' : behind > 0 ? 'behind' : 'current',
      events_behind: behind,
      parked_events: await watch.parkedEvents(),
      reason,
    } satisfies Omit<ProjectionsRecord, 'timestamp'>
    if (JSON.stringify(found) === told || stop.signal.aborted) return
    await publishEvent(bus, projectionsEvent, { unit }, { ...found, timestamp: timestampOf(clock.now()) })
    told = JSON.stringify(found)
  }
  const looking = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await look().catch((error: unknown) => logger.debug({ err: error }, 'state of the read models not told'))
      await timer.sleepUntil(timer.monotonicMs() + LOOK_MS, stop.signal)
    }
  }
  void looking()
  return () => stop.abort()
}

interface ReadModelParts {
  readonly bus: MessageBus
  readonly log: RunningLog
  readonly readSide: Promise<Pick<RunningProjections, 'degradations'>>
}

/** Tells it of the read models of a unit, also while they fold the log for the first time. @returns what ends it */
export function tellReadModels(config: Config, clock: Clock, logger: Logger, { bus, log, readSide }: ReadModelParts) {
  const { readModelsPath, runFilesStatePath, unit } = config
  const readModels = openReadModels({ readModelsPath, runFilesStatePath })
  let degradations = (): readonly string[] => []
  readSide.then(
    (running) => {
      degradations = () => running.degradations()
    },
    () => undefined,
  )
  const end = tellProjections({
    ...{ unit, bus, clock, logger },
    lastPosition: () => log.reader.lastPosition(),
    position: () => readModels.position(),
    parkedEvents: () => readModels.parkedEvents(),
    degradations: () => degradations(),
  })
  return async (): Promise<void> => {
    end()
    readModels.close()
  }
}

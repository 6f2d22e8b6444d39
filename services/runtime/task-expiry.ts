import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import { isTaskOver, taskEvent } from '../../events/system/tasks.js'
import { repeat } from './repeat.js'

/** What a task gave can be asked for so long, hours on the unit's clock. */
const RETENTION_H = 24
/** Of more finished tasks the oldest go earlier: each is a retained topic. */
const KEEP = 1000

const EVERY_S = 600

interface Deps {
  readonly unit: string
  readonly bus: MessageBus
  readonly clock: Clock
  readonly logger: Logger
}

/** Forgets finished tasks of this unit, whoever recorded them, and of whichever life: their topic is cleared, and with it their row.
 * @returns ends it */
export async function expireTasks({ unit, bus, clock, logger }: Deps): Promise<() => Promise<void>> {
  /** When they ended, ms UTC. */
  const finished = new Map<string, number>()

  const forget = (id: string): void => {
    finished.delete(id)
    bus.publish(taskEvent.topic({ unit, task_id: id }), '', { retain: true }).catch((error: unknown) => {
      logger.debug({ task: id, err: error }, 'old task not cleared')
    })
  }
  const forgetOldest = (): void => {
    let oldest: readonly [string, number] | undefined
    for (const entry of finished) if (oldest === undefined || entry[1] < oldest[1]) oldest = entry
    if (oldest !== undefined) forget(oldest[0])
  }
  const unsubscribe = await bus.subscribe(taskEvent.filter({ unit }), ({ topic, payload }) => {
    const id = taskEvent.levels(topic)?.task_id
    const text = payload.toString()
    if (id === undefined || text === '') return
    try {
      const task = taskEvent.parse(text)
      if (!isTaskOver(task)) return
      finished.set(id, Date.parse(task.timestamp))
    } catch {
      // What cannot be read is no result that anybody could ask for.
      finished.set(id, 0)
    }
    if (finished.size > KEEP) forgetOldest()
  })
  const rounds = repeat({
    clock,
    intervalS: EVERY_S,
    immediately: true,
    tick() {
      const limit = clock.now().getTime() - RETENTION_H * 3_600_000
      for (const [id, ended] of finished) if (ended < limit) forget(id)
    },
    onError: (error) => logger.error({ err: error }, 'old tasks not cleared'),
  })
  return async () => {
    await rounds.stop()
    await unsubscribe()
  }
}

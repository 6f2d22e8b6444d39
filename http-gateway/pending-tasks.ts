import { ANSWER_TIMEOUT_MS, sendCommand } from '../bus/commands.js'
import { publishEvent } from '../bus/publish-event.js'
import type { CommandDefinition } from '../events/core/define-command.js'
import { type LabError, toErrorRecord } from '../events/core/errors.js'
import { timestampOf } from '../events/core/timestamp.js'
import { NoAnswer } from '../events/system/errors.js'
import { type TaskRecord, taskEvent } from '../events/system/tasks.js'
import { deadline } from '../primitives/deadline.js'
import type { GatewayDeps } from './context.js'
import { ServicesNotReady } from './readiness.js'
import type { ServicePresence } from './service-presence.js'

/** How long a task waits for the services, ms. They start within seconds, or not at all. */
const PENDING_MS = 30_000

/** Tasks accepted while the services are not there. They are kept in memory alone: an order of yesterday is not carried out today. */
export interface PendingTasks {
  /** Records the task as pending; gives the order when the services are there, once. Resolves when the task is on disk. */
  accept<Order>(id: string, command: CommandDefinition<Order>, details: NoInfer<Order>): Promise<void>
  /** What still waits will not be carried out. Resolves when that is recorded, if it can be. */
  stop(): Promise<void>
}

type Deps = Pick<GatewayDeps, 'bus' | 'unit' | 'clock' | 'logger' | 'readModels'> & {
  readonly services: ServicePresence
}

export function createPendingTasks(
  { bus, unit, clock, logger, readModels, services }: Deps,
  timeoutMs = PENDING_MS,
): PendingTasks {
  const stopping = new AbortController()
  const waiting = new Set<Promise<void>>()

  const record = (id: string, task: Pick<TaskRecord, 'name' | 'status' | 'error'>): Promise<void> => {
    const timestamp = timestampOf(clock.now())
    const payload: TaskRecord = { task_id: id, ...task, timestamp }
    return publishEvent(bus, taskEvent, { unit, task_id: id }, payload)
  }

  async function carryOut<Order>(
    id: string,
    command: CommandDefinition<Order>,
    details: NoInfer<Order>,
  ): Promise<void> {
    try {
      if (!(await services.live(timeoutMs, stopping.signal))) throw notCarriedOut(timeoutMs, stopping.signal.aborted)
      await sendCommand(bus, unit, command, details, { id })
    } catch (error) {
      // The services that began the task publish its end; if they die, it is published for them.
      if (error instanceof NoAnswer && (await readModels.task(id))?.status === 'running') return
      await record(id, { name: command.name, status: 'failed', error: toErrorRecord(error) })
    }
  }

  return {
    async accept(id, command, details) {
      const { name } = command
      const recorded = record(id, { name, status: 'pending' })
      try {
        await inTime(recorded)
      } catch (error) {
        // Should it be recorded after all, it must not stay pending for ever.
        recorded.then(() => record(id, { name, status: 'failed', error: toErrorRecord(error) })).catch(ignore)
        throw error
      }
      const work = carryOut(id, command, details)
        .catch((error: unknown) => logger.error({ task: id, err: error }, 'task end not recorded'))
        .finally(() => waiting.delete(work))
      waiting.add(work)
    },
    async stop() {
      stopping.abort()
      if (bus.connected) await Promise.all(waiting)
    },
  }
}

/** @throws NoAnswer when the log takes no events: the task may be recorded later, but it is not carried out. */
const inTime = (recorded: Promise<void>): Promise<void> =>
  deadline(ANSWER_TIMEOUT_MS, recorded, () => {
    throw new NoAnswer(`The task was not recorded within ${ANSWER_TIMEOUT_MS} ms; it is not carried out.`)
  })

const ignore = (): void => undefined

const notCarriedOut = (timeoutMs: number, stopped: boolean): LabError => {
  const why = stopped ? 'The unit stopped' : `The services were not there within ${timeoutMs / 1000} s`
  return new ServicesNotReady(`${why} before the task began; it was not carried out.`)
}

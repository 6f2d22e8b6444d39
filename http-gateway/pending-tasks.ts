import { ANSWER_TIMEOUT_MS, sendCommand } from '../bus/commands.js'
import { publishEvent } from '../bus/publish-event.js'
import type { TaskDefinition } from '../events/core/define-task.js'
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
  accept<Order>(id: string, task: TaskDefinition<Order>, details: NoInfer<Order>): Promise<void>
  /** Records a task that no service took as failed. Resolves when it is on disk. */
  fail(id: string, task: TaskDefinition, error: unknown): Promise<void>
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

  const record = (
    id: string,
    { name, lock }: TaskDefinition,
    progress: Pick<TaskRecord, 'status' | 'error'>,
  ): Promise<void> => {
    const head = { task_id: id, name, ...(lock === undefined ? {} : { lock }) }
    return publishEvent(
      bus,
      taskEvent,
      { unit, task_id: id },
      { ...head, ...progress, timestamp: timestampOf(clock.now()) },
    )
  }
  const fail = (id: string, task: TaskDefinition, error: unknown): Promise<void> =>
    record(id, task, { status: 'failed', error: toErrorRecord(error) })

  async function carryOut<Order>(id: string, task: TaskDefinition<Order>, details: NoInfer<Order>): Promise<void> {
    try {
      if (!(await services.live(timeoutMs, stopping.signal))) throw notCarriedOut(timeoutMs, stopping.signal.aborted)
      await sendCommand(bus, unit, task, details, { id })
    } catch (error) {
      // The services that began the task publish its end; if they die, it is published for them.
      if (error instanceof NoAnswer && (await readModels.task(id))?.status === 'running') return
      await fail(id, task, error)
    }
  }

  return {
    async accept(id, task, details) {
      const recorded = record(id, task, { status: 'pending' })
      try {
        await inTime(recorded)
      } catch (error) {
        // Should it be recorded after all, it must not stay pending for ever.
        recorded.then(() => fail(id, task, error)).catch(ignore)
        throw error
      }
      const work = carryOut(id, task, details)
        .catch((error: unknown) => logger.error({ task: id, err: error }, 'task end not recorded'))
        .finally(() => waiting.delete(work))
      waiting.add(work)
    },
    fail,
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

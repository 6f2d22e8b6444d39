import { publishEvent } from '../../bus/publish-event.js'
import { toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { type TaskRecord, taskEvent } from '../../events/system/tasks.js'
import type { ServiceContext } from './service.js'

/** Finished things of a kind whose topics stay retained. */
const KEEP = 200

type Publishing = Pick<ServiceContext, 'bus' | 'logger'>

/** Retained topics of things that are over: the newest stay, older ones are cleared, so that the retained set stays bounded. */
export class RetainedHistory {
  readonly #context: Publishing
  readonly #topicsOf: (id: string) => readonly string[]
  readonly #ids: string[]

  /** @param topicsOf what is to be cleared of one that has become old. @param ids finished before, oldest first. */
  constructor(context: Publishing, topicsOf: (id: string) => readonly string[], ids: readonly string[]) {
    this.#context = context
    this.#topicsOf = topicsOf
    this.#ids = [...ids]
    this.#prune()
  }

  add(id: string): void {
    this.#ids.push(id)
    this.#prune()
  }

  #prune(): void {
    const { bus, logger } = this.#context
    const old = this.#ids.splice(0, Math.max(0, this.#ids.length - KEEP))
    for (const topic of old.flatMap(this.#topicsOf)) {
      bus.publish(topic, '', { retain: true }).catch((error: unknown) => {
        logger.debug({ topic, err: error }, 'old topic not cleared')
      })
    }
  }
}

export interface TaskLog {
  /** Records the work as running, starts it, and resolves; its end is recorded when it comes. Rejects when it could not be recorded,
   * in which case nothing was started. */
  run(id: string, name: string, work: () => Promise<unknown>): Promise<void>
}

/** Asynchronous work on `system/<unit>/tasks/<id>`. @param past ids of finished tasks, oldest first. */
export function createTaskLog(context: ServiceContext, past: readonly string[]): TaskLog {
  const { unit, bus, clock, logger } = context
  const history = new RetainedHistory(context, (id) => [taskEvent.topic({ unit, task_id: id })], past)
  const publish = (task: Omit<TaskRecord, 'timestamp'>): Promise<void> => {
    const record: TaskRecord = { ...task, timestamp: timestampOf(clock.now()) }
    return publishEvent(bus, taskEvent, { unit, task_id: task.task_id }, record)
  }
  const finish = async (id: string, name: string, work: () => Promise<unknown>): Promise<void> => {
    const end = await work().then(
      (result) => ({ status: 'succeeded' as const, result }),
      (error: unknown) => {
        const record = toErrorRecord(error)
        if (record.family === 'defect') logger.error({ task: name, err: error }, 'task failed')
        return { status: 'failed' as const, error: record }
      },
    )
    await publish({ task_id: id, name, ...end })
    history.add(id)
  }
  return {
    async run(id, name, work) {
      await publish({ task_id: id, name, status: 'running' })
      finish(id, name, work).catch((error: unknown) =>
        logger.error({ task: name, err: error }, 'task end not recorded'),
      )
    },
  }
}

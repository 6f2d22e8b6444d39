import { publishEvent } from '../../bus/publish-event.js'
import type { TaskDefinition } from '../../events/core/define-task.js'
import { type LabError, toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { TaskInterrupted } from '../../events/system/errors.js'
import { type TaskRecord, taskEvent } from '../../events/system/tasks.js'
import type { Answer } from './answer.js'
import type { ServiceContext } from './service.js'
import { TaskLocks } from './task-locks.js'
import { TaskRates } from './task-rates.js'

/** The work of an order that was not refused. */
type Begun<Result> = () => Promise<Result>

/** Asynchronous work on `system/<unit>/tasks/<id>`: pending while it waits for its lock, running, succeeded or failed. */
export interface TaskLog {
  /** Carries out a kind of task. An order is refused by what `begin` throws; what it returns is the work, begun when rate and lock allow it.
   * The order is answered when the task is recorded; its end is recorded when it comes. */
  answer<Order, Result>(
    task: TaskDefinition<Order, Result>,
    begin: (order: Order, id: string) => Begun<NoInfer<Result>> | Promise<Begun<NoInfer<Result>>>,
  ): Answer
  /** What is not over by now is recorded as failed: nobody does it any more. */
  stop(): Promise<void>
}

type Progress = Pick<TaskRecord, 'status'> & Partial<Pick<TaskRecord, 'result' | 'error' | 'waits_for_lock'>>

export function createTaskLog({ unit, bus, clock, logger }: ServiceContext): TaskLog {
  const rates = new TaskRates(clock)
  const locks = new TaskLocks()
  const unfinished = new Map<string, TaskDefinition>()
  let stopped = false

  const publish = (id: string, { name, lock }: TaskDefinition, progress: Progress): Promise<void> => {
    const head = { task_id: id, name, ...(lock === undefined ? {} : { lock }) }
    return publishEvent(
      bus,
      taskEvent,
      { unit, task_id: id },
      { ...head, ...progress, timestamp: timestampOf(clock.now()) },
    )
  }
  const fail = (id: string, task: TaskDefinition, error: unknown): Promise<void> => {
    const record = toErrorRecord(error)
    if (record.family === 'defect') logger.error({ task: task.name, err: error }, 'task failed')
    return publish(id, task, { status: 'failed', error: record })
  }
  async function finish(id: string, task: TaskDefinition, work: () => Promise<unknown>): Promise<void> {
    const end = await work().then(
      (result) => async () => publish(id, task, { status: 'succeeded', result: task.checkTaskResult(result) }),
      (error: unknown) => () => fail(id, task, error),
    )
    // One that was given up has its end already.
    if (unfinished.delete(id)) await end().catch((error: unknown) => fail(id, task, error))
  }

  /** Resolves when the task is recorded, whatever becomes of it. Rejects when it could not be, in which case nothing was begun. */
  async function run(id: string, task: TaskDefinition, work: () => Promise<unknown>): Promise<void> {
    const refusal = rates.refuse(task) ?? locks.refuse(task)
    if (refusal !== null) return fail(id, task, refusal)
    const turn = locks.take(task.lock)
    const report = (error: unknown): void => logger.error({ task: task.name, err: error }, 'task end not recorded')
    unfinished.set(id, task)
    try {
      await publish(id, task, turn.isNow ? { status: 'running' } : { status: 'pending', waits_for_lock: true })
    } catch (error) {
      unfinished.delete(id)
      turn.end()
      throw error
    }
    const done = turn.isNow ? finish(id, task, work) : whenItsTurn(id, task, work, turn.comes)
    done.catch(report).finally(turn.end)
  }
  async function whenItsTurn(id: string, task: TaskDefinition, work: () => Promise<unknown>, comes: Promise<void>) {
    await comes
    if (stopped) return
    await publish(id, task, { status: 'running' })
    await finish(id, task, work)
  }

  return {
    answer: (task, begin) => ({
      command: task,
      async carryOut(text, id) {
        await run(id, task, await begin(task.parse(text), id))
        return { task_id: id }
      },
    }),
    async stop() {
      stopped = true
      const left = [...unfinished]
      unfinished.clear()
      // Without the broker they are ended by whoever finds them.
      if (!bus.connected) return
      const ends = left.map(([id, task]) => fail(id, task, interrupted(task)))
      await Promise.all(
        ends.map((end) => end.catch((error: unknown) => logger.warn({ err: error }, 'task end not recorded'))),
      )
    },
  }
}

const interrupted = ({ name }: TaskDefinition): LabError =>
  new TaskInterrupted(`The part of the services that does ${name} ended before the task did.`)

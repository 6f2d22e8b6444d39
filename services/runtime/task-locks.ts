import type { TaskDefinition } from '../../events/core/define-task.js'
import { defineError, type LabError } from '../../events/core/errors.js'

const TaskLocked = defineError(
  'task.locked',
  'state',
  'Another task that must not be under way at the same time is; or too many wait for it.',
  { remediation: 'Wait for the running operation to finish, then retry.' },
)

/** Tasks that wait for one lock. */
const MAX_WAITING = 20

/** One holder's turn at a lock. */
export interface Turn {
  readonly isNow: boolean
  /** Resolves when it is. */
  readonly comes: Promise<void>
  /** Passes the lock on. To be called once. */
  end(): void
}

/** Locks by name, passed on in the order of asking. */
export class TaskLocks {
  /** Those who hold or want a lock, the holder first. */
  readonly #queues = new Map<string, (() => void)[]>()

  /** Why a task cannot be taken now; null when it can. */
  refuse({ name, lock, whenLocked }: Pick<TaskDefinition, 'name' | 'lock' | 'whenLocked'>): LabError | null {
    const queue = lock === undefined ? undefined : this.#queues.get(lock)
    if (queue === undefined) return null
    if (whenLocked === 'refuse') return new TaskLocked(`${name} was not done: ${lock} is held by a running task.`)
    if (queue.length <= MAX_WAITING) return null
    return new TaskLocked(`${name} was not done: ${MAX_WAITING} tasks wait for ${lock} already.`)
  }

  take(lock: string | undefined): Turn {
    if (lock === undefined) return FREE
    const queue = this.#queues.get(lock) ?? []
    this.#queues.set(lock, queue)
    const isNow = queue.length === 0
    let start = (): void => undefined
    const comes = new Promise<void>((resolve) => {
      start = resolve
    })
    queue.push(start)
    if (isNow) start()
    const end = (): void => {
      const place = queue.indexOf(start)
      queue.splice(place, 1)
      if (queue.length === 0) this.#queues.delete(lock)
      else if (place === 0) queue[0]?.()
    }
    return { isNow, comes, end }
  }
}

const FREE: Turn = { isNow: true, comes: Promise.resolve(), end: () => undefined }

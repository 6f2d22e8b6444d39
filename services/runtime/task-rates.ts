import type { TaskDefinition } from '../../events/core/define-task.js'
import { defineError, type LabError } from '../../events/core/errors.js'
import type { Clock } from '../../events/ports.js'

const TaskTooFrequent = defineError(
  'task.too_frequent',
  'state',
  'A task of this kind began a moment ago; the message names the bucket it counts in and its window.',
  { remediation: 'Wait until the window has passed, then try again.' },
)

/** Which task buckets were used in their present window. Windows are fixed: they begin at multiples of their length since 1970. */
export class TaskRates {
  readonly #clock: Clock
  readonly #windows = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Uses the bucket up for its window. @returns why the task is too early; null when it is not. */
  refuse({ rate }: Pick<TaskDefinition, 'rate'>): LabError | null {
    if (rate === undefined) return null
    const { bucket, windowS } = rate
    const window = Math.floor(this.#clock.now().getTime() / 1000 / windowS)
    if (this.#windows.get(bucket) === window) {
      // The words that clients of the unit API look for.
      return new TaskTooFrequent(`RateLimitExceeded(${bucket}: 1 per ${windowS} s)`)
    }
    this.#windows.set(bucket, window)
    return null
  }
}

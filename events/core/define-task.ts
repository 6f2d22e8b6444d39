import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { check } from '../schema.js'
import { type CommandDeclaration, type CommandDefinition, defineCommand } from './define-command.js'
import { InternalError } from './errors.js'

/** What the outcome of an accepted order holds: its task is published on `system/<unit>/tasks/<task_id>`. */
const TaskTaken = Type.Object({ task_id: Type.String() })
type TaskTaken = Static<typeof TaskTaken>

/** How often tasks may begin: once in each window of so many seconds, counted from 1970, whatever becomes of them. */
export interface TaskRate {
  /** Tasks that name the same bucket count together. */
  readonly bucket: string
  readonly windowS: number
}

/** Asynchronous work, as the service that does it says of it. */
export interface TaskDeclaration<P extends TObject = TObject, R extends TSchema = TSchema>
  extends Omit<CommandDeclaration<P>, 'result'> {
  /** What the task holds when it has succeeded. */
  readonly result: R
  /** Tasks that name the same lock are never under way together. */
  readonly lock?: string
  /** What becomes of a task whose lock is held: refused (REST answers so before it looks at the body), or done when its turn comes; `refuse` unless given. */
  readonly whenLocked?: 'refuse' | 'wait'
  readonly rate?: TaskRate
}

/** A command that is followed by a task under the id of the order. */
export interface TaskDefinition<Order = unknown, Result = unknown> extends CommandDefinition<Order, TaskTaken> {
  readonly lock: string | undefined
  readonly whenLocked: 'refuse' | 'wait'
  readonly rate: TaskRate | undefined
  /** @throws InternalError when what the work gave is not as declared */
  checkTaskResult(result: unknown): Result
}

/** Declares asynchronous work once: its command, its lock and how often it may begin. A service does it with `tasks.answer`, and an endpoint
 * for it is one entry, `taskEndpoint`.
 *
 * ```ts
 * const calibrate = defineTask({
 *   name: 'calibrate_balance',
 *   payload: Type.Object({ slot: Type.String() }),
 *   result: Type.Boolean(),
 *   lock: 'balance-lock',
 *   rate: { bucket: 'balance', windowS: 10 },
 *   doc: 'Weighs the built-in weight.',
 * })
 *
 * const { slot } = calibrate.parse(calibrate.encode('order-1', { slot: 'left' }))
 * const { task_id } = calibrate.parseResult({ task_id: 'order-1' })
 * const succeeded = calibrate.checkTaskResult(true)
 * ```
 *
 * In the service: `tasks.answer(calibrate, ({ slot }) => async () => weigh(slot))`. What the outer function throws refuses the order; what
 * the inner one does is the task.
 * @throws InvalidDeclaration as `defineCommand` does */
export function defineTask<P extends TObject, R extends TSchema>({
  result,
  lock,
  whenLocked = 'refuse',
  rate,
  ...command
}: TaskDeclaration<P, R>): TaskDefinition<Static<P>, Static<R>> {
  return Object.freeze({
    ...defineCommand({ ...command, result: TaskTaken }),
    lock,
    whenLocked,
    rate,
    checkTaskResult(value: unknown) {
      try {
        return check(result, value, 'result')
      } catch (cause) {
        throw new InternalError(`The result of the task ${command.name} is not as declared.`, { cause })
      }
    },
  })
}

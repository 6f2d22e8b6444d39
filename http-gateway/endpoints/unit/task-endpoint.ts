import { randomUUID } from 'node:crypto'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { TaskDefinition } from '../../../events/core/define-task.js'
import type { ErrorDeclaration } from '../../../events/core/errors.js'
import { LabError } from '../../../events/core/errors.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order, refuseOversized } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint, type Input, Reply } from '../../framework/endpoint.js'
import { RequestTooLarge, statusOf } from '../../framework/errors.js'
import { areCurrent } from '../../readiness.js'

export const taskUrl = (taskId: string): string => `/unit_api/task_results/${taskId}`

/** The answer of every asynchronous endpoint of the unit API, with 202. */
const Accepted = Type.Object({
  unit: Type.String(),
  task_id: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' }),
  result_url_path: Type.String(),
  status: Type.Literal('accepted'),
})

/** The answer while the lock of the task is held: nothing was begun. */
const Locked = Type.Object({
  status: Type.Literal('running'),
  lock: Type.String(),
  retry_after_s: Type.Integer({ unit: 's' }),
  remediation: Type.String(),
})

/** An asynchronous endpoint. What is not said here follows from its task. */
interface TaskEndpoint<P extends TSchema, B extends TSchema, Order, Result>
  extends Pick<Endpoint<P, TSchema, B>, 'path' | 'summary' | 'params' | 'body' | 'example' | 'ignoresBody' | 'upload'> {
  /** POST and PATCH unless given. */
  readonly method?: Endpoint['method']
  readonly task: TaskDefinition<Order, Result>
  /** Beside those of every task. */
  readonly errors?: readonly ErrorDeclaration[]
  /** With these the service refuses the order itself: they are answered at once, and there is no task. */
  readonly refusals?: readonly ErrorDeclaration[]
  /** Runs before the lock and the body are looked at; throws to refuse. */
  admit?(input: { readonly params: Static<P> }, context: GatewayContext): void | Promise<void>
  /** Runs after the lock and before the body are looked at; throws to refuse. */
  afterLock?(input: { readonly params: Static<P> }): void
  /** What is ordered; throws to refuse. */
  order(
    input: Pick<Input<Static<P>, unknown, Static<B>>, 'params' | 'body' | 'request'>,
    context: GatewayContext,
  ): Order | Promise<Order>
}

/** Declares an asynchronous endpoint, POST and PATCH: it answers 202 with where the task is to be asked for, or that its lock is held.
 * ```ts
 * const reboot = taskEndpoint({
 *   path: '/unit_api/system/reboot',
 *   summary: 'Starts the computer again.',
 *   task: rebootTask,
 *   order: () => ({}),
 * })
 * ``` */
export function taskEndpoint<P extends TSchema, B extends TSchema, Order, Result>(
  declaration: TaskEndpoint<P, B, Order, Result>,
): Endpoint {
  const { task, errors = [], refusals = [], admit, afterLock, order: orderOf, ...rest } = declaration
  const lock = task.whenLocked === 'refuse' ? task.lock : undefined
  return endpoint({
    method: ['post', 'patch'],
    ...rest,
    response: lock === undefined ? Accepted : Type.Union([Accepted, Locked]),
    status: 202,
    needs: 'nothing',
    errors: [
      ...errors,
      ...refusals,
      ...(rest.body === undefined ? [] : [InvalidBody, RequestTooLarge]),
      NoAnswer,
      LogUnavailable,
    ],
    async admit(input: { readonly params: Static<P> }, context: GatewayContext) {
      await admit?.(input, context)
      // What is not known yet, the service refuses.
      const isHeld = lock !== undefined && (await areCurrent(context)) && (await context.readModels.isLockHeld(lock))
      if (isHeld) return new Reply(202, locked(lock))
      afterLock?.(input)
      return
    },
    handle: async (input: Input<Static<P>, unknown, Static<B>>, context: GatewayContext) =>
      startTask(context, task, await orderOf(input, context), refusals),
  }) as unknown as Endpoint
}

const locked = (lock: string): Static<typeof Locked> => ({
  status: 'running',
  lock,
  retry_after_s: 1,
  remediation: 'Wait for the running operation to finish, then retry.',
})

/** Gives the order an id under which its task will be found, and answers once a service has taken it, or once it is recorded as pending
 * while the services are not there. A refusal is the task's failure, which clients poll for; an order that nobody took is an error here, and one that is refused as declared. */
async function startTask<Order>(
  context: GatewayContext,
  task: TaskDefinition<Order>,
  details: NoInfer<Order>,
  refusals: readonly ErrorDeclaration[],
): Promise<Static<typeof Accepted>> {
  const { unit, services, pendingTasks, readModels } = context
  const taskId = randomUUID()
  refuseOversized(details)
  if (!services.isLive()) await pendingTasks.accept(taskId, task, details)
  else {
    try {
      await order(context, task, details, { id: taskId })
    } catch (error) {
      if (!(error instanceof LabError) || statusOf(error) >= 500) throw error
      if (refusals.some(({ code }) => code === error.code)) throw error
      if ((await readModels.task(taskId)) === null) await pendingTasks.fail(taskId, task, error)
    }
  }
  return { unit, task_id: taskId, result_url_path: taskUrl(taskId), status: 'accepted' }
}

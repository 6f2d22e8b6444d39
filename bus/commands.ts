import { randomUUID } from 'node:crypto'
import type { CommandDefinition } from '../events/core/define-command.js'
import { defineError, fromErrorRecord, InternalError, type LabError } from '../events/core/errors.js'
import type { MessageBus } from '../events/ports.js'
import { NoAnswer } from '../events/system/errors.js'
import { type CommandOutcome, outcomeEvent } from '../events/system/outcomes.js'
import { deadline } from '../primitives/deadline.js'

/** How long a client waits for a command's outcome before it says that nobody answered. */
export const ANSWER_TIMEOUT_MS = 1500

const OrderRefused = defineError('services.refused', 'state', 'A service refused the command without naming a reason.')

/** Orders something of the services and waits for the outcome. Nothing is retried: an unanswered order may still have been executed.
 * @param options.id the id to publish the outcome under; a task of the same id may follow it.
 * @returns the outcome's result.
 * @throws LabError with the service's code and message when it refused; NoAnswer after `timeoutMs`; InternalError when the result is not as
 * declared. */
export async function sendCommand<Order, Result>(
  bus: MessageBus,
  unit: string,
  command: CommandDefinition<Order, Result>,
  order: NoInfer<Order>,
  { id = randomUUID(), timeoutMs = ANSWER_TIMEOUT_MS }: { readonly id?: string; readonly timeoutMs?: number } = {},
): Promise<Result> {
  const outcomes = outcomeEvent.topic({ unit, id })
  const result = await answered(bus, command.topic({ unit }), command.encode(id, order), outcomes, timeoutMs)
  try {
    return command.parseResult(result)
  } catch (cause) {
    throw new InternalError(`The result of ${command.name} is not as declared.`, { cause })
  }
}

/** Publishes once the outcome's topic is subscribed, so that the answer cannot be missed. */
async function answered(
  bus: MessageBus,
  topic: string,
  payload: string,
  outcomes: string,
  timeoutMs: number,
): Promise<unknown> {
  let receive: (text: string) => void = () => undefined
  const received = new Promise<string>((resolve) => {
    receive = resolve
  })
  const subscribed = bus.subscribe(outcomes, ({ payload }) => receive(payload.toString()))
  const asked = subscribed.then(async () => {
    const [text] = await Promise.all([received, bus.publish(topic, payload)])
    return text
  })
  try {
    const outcome = await deadline(timeoutMs, asked, () => {
      throw noAnswer(topic, timeoutMs)
    })
    return resultOf(outcomeEvent.parse(outcome))
  } finally {
    asked.catch(() => undefined)
    void subscribed.then((unsubscribe) => unsubscribe()).catch(() => undefined)
  }
}

function resultOf({ accepted, result, error }: CommandOutcome): unknown {
  if (accepted) return result
  throw error === undefined ? new OrderRefused('The command was refused.') : fromErrorRecord(error)
}

const noAnswer = (topic: string, timeoutMs: number): LabError =>
  new NoAnswer(`No service answered ${topic} within ${timeoutMs} ms.`, {
    remediation: 'Check that the services process is running, then try again.',
  })

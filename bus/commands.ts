import { randomUUID } from 'node:crypto'
import { defineError, fromErrorRecord, type LabError } from '../events/core/errors.js'
import type { MessageBus } from '../events/ports.js'
import { type CommandOutcome, outcomeEvent, type Request, type RequestName } from '../events/system/commands.js'
import { NoAnswer } from '../events/system/errors.js'
import { requestTopic } from '../events/topic.js'
import { deadline } from '../primitives/deadline.js'

/** How long a client waits for a command's outcome before it says that nobody answered. */
export const ANSWER_TIMEOUT_MS = 1500

const OrderRefused = defineError('services.refused', 'state', 'A service refused the command without naming a reason.')

/** A request without the id that its outcome is published under. */
export type Order<N extends RequestName> = Omit<Request<N>, 'id'>

/** Orders something of the services and waits for the outcome. Nothing is retried: an unanswered order may still have been executed.
 * @param options.id the id to publish the outcome under; a task of the same id may follow it.
 * @returns the outcome's result.
 * @throws LabError with the service's code and message when it refused; NoAnswer after `timeoutMs`. */
export async function requestCommand<N extends RequestName>(
  bus: MessageBus,
  unit: string,
  name: N,
  order: Order<N>,
  { id = randomUUID(), timeoutMs = ANSWER_TIMEOUT_MS }: { readonly id?: string; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  return answered(
    bus,
    requestTopic(unit, name),
    JSON.stringify({ ...order, id }),
    outcomeEvent.topic({ unit, id }),
    timeoutMs,
  )
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

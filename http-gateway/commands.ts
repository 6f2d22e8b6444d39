import { ANSWER_TIMEOUT_MS, sendCommand } from '../bus/commands.js'
import type { CommandDefinition } from '../events/core/define-command.js'
import { NoAnswer } from '../events/system/errors.js'
import { pollUntil } from '../primitives/poll-until.js'
import { clamp } from '../primitives/round.js'
import type { GatewayContext } from './context.js'
import { RequestTooLarge } from './framework/errors.js'
import { servicesNotReady } from './readiness.js'

/** The broker closes a connection that sends more than 1 MiB in one packet. */
const MAX_ORDER_BYTES = 900 * 1024

/** @throws RequestTooLarge */
export function refuseOversized(details: unknown): void {
  if (Buffer.byteLength(JSON.stringify(details)) <= MAX_ORDER_BYTES) return
  throw new RequestTooLarge(`The order is larger than ${MAX_ORDER_BYTES} bytes.`)
}

/** Orders something of the services, for which it waits a little; when the outcome is there, waits until the read models show what it caused.
 * @returns the outcome's result.
 * @throws LabError of the service, ServicesNotReady, NoAnswer, RequestTooLarge */
export async function order<Order, Result>(
  context: GatewayContext,
  command: CommandDefinition<Order, Result>,
  details: NoInfer<Order>,
  options: { readonly id?: string; readonly timeoutMs?: number } = {},
): Promise<Result> {
  refuseOversized(details)
  const { bus, unit, services } = context
  const { timeoutMs = ANSWER_TIMEOUT_MS } = options
  const end = performance.now() + timeoutMs
  if (!(await services.live(ANSWER_TIMEOUT_MS))) throw servicesNotReady(services.record()?.state)
  try {
    const sent = sendCommand(bus, unit, command, details, { ...options, timeoutMs: end - performance.now() })
    const result = timeoutMs > ANSWER_TIMEOUT_MS ? await whileServed(services, sent) : await sent
    await caughtUp(context, end)
    return result
  } catch (error) {
    // A refusal is an outcome too, and may have left a failed task.
    if (!(error instanceof NoAnswer)) await caughtUp(context, end)
    throw error
  }
}

/** What takes long may outlive the services; then nobody answers it any more. @throws NoAnswer */
async function whileServed<T>(services: GatewayContext['services'], sent: Promise<T>): Promise<T> {
  const answered = new AbortController()
  const gone = services.gone(answered.signal).then((): never => {
    throw new NoAnswer('The services ended before they had answered.', {
      remediation: 'See what became of it when they are back, then try again.',
    })
  })
  gone.catch(() => undefined)
  sent.catch(() => undefined)
  try {
    return await Promise.race([sent, gone])
  } finally {
    answered.abort()
  }
}

const POLL_MS = 3
/** Also of an answer that took its time. */
const LEAST_MS = 300

/** Waits until the read models have folded everything that is in the log now, so that a client reads its own writes; but no longer than
 * until `end`: a client would rather read something old than wait for ever. */
async function caughtUp({ log, readModels }: GatewayContext, end: number): Promise<void> {
  const position = log.lastPosition()
  const limitMs = clamp(LEAST_MS, end - performance.now(), ANSWER_TIMEOUT_MS)
  await pollUntil({ limitMs, everyMs: POLL_MS }, readModels.position, (folded) => folded >= position)
}

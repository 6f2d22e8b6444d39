import { setTimeout as delay } from 'node:timers/promises'
import { type Order, requestCommand } from '../bus/commands.js'
import { NoAnswer } from '../events/errors.js'
import type { RequestName } from '../events/payloads.js'
import type { GatewayContext } from './context.js'
import { RequestRefused } from './framework/errors.js'

/** The broker closes a connection that sends more than 1 MiB in one packet. */
const MAX_ORDER_BYTES = 900 * 1024

/** Orders something of the services; when the outcome is there, waits until the read models show what it caused.
 * @returns the outcome's result.
 * @throws LabError of the service, NoAnswer, RequestRefused `request.too_large` */
export async function order<N extends RequestName>(
  context: GatewayContext,
  name: N,
  details: Order<N>,
  options: { readonly id?: string; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  if (Buffer.byteLength(JSON.stringify(details)) > MAX_ORDER_BYTES) {
    throw new RequestRefused('request.too_large', `The order is larger than ${MAX_ORDER_BYTES} bytes.`)
  }
  try {
    const result = await requestCommand(context.bus, context.unit, name, details, options)
    await caughtUp(context)
    return result
  } catch (error) {
    // A refusal is an outcome too, and may have left a failed task.
    if (!(error instanceof NoAnswer)) await caughtUp(context)
    throw error
  }
}

const POLL_MS = 3
/** Bound of 1.5 s: a client would rather read something old than wait for ever. */
const POLLS = 500

/** Waits until the read models have folded everything that is in the log now, so that a client reads its own writes. */
export async function caughtUp({ log, readModels }: GatewayContext): Promise<void> {
  const position = log.lastPosition()
  for (let poll = 0; poll < POLLS && (await readModels.position()) < position; poll++) await delay(POLL_MS)
}

import { randomUUID } from 'node:crypto'
import { publishEvent } from '../../bus/publish-event.js'
import { defineError, type LabError, toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import { checkJson } from '../../events/schema.js'
import {
  type CommandOutcome,
  outcomeEvent,
  type Request,
  type RequestName,
  requests,
} from '../../events/system/commands.js'
import { COMMAND_ID, parseTopic, requestTopic } from '../../events/topic.js'
import type { Service } from './service.js'

export interface AnswerDeps {
  readonly bus: MessageBus
  readonly unit: string
  readonly clock: Clock
  readonly logger: Logger
}

/** A client that lost its connection sends again what was not acknowledged; by then it has given so many other orders at most. */
const REMEMBERED = 1000

/** Answers `system/<unit>/request/<name>` with the service that declares the request; every order gets an outcome, refusals included.
 * An order that comes again is carried out once. One without an id is given one, under which its task can be found; one with an id that
 * cannot be a topic level is only logged. */
export async function answerRequests(services: readonly Service[], deps: AnswerDeps): Promise<() => Promise<void>> {
  const seen = new Set<string>()
  return deps.bus.subscribe(requestTopic(deps.unit, '+'), (message) => {
    // A retained order is yesterday's order.
    if (message.retain) return
    const { text, id } = withId(message.payload.toString())
    if (id !== null && seen.has(id)) return
    if (id !== null) seen.add(id)
    for (const oldest of seen) {
      if (seen.size <= REMEMBERED) break
      seen.delete(oldest)
    }
    void answer(services, deps, message.topic, { text, id })
  })
}

async function answer(
  services: readonly Service[],
  { bus, unit, clock, logger }: AnswerDeps,
  orderTopic: string,
  { text, id }: IdentifiedOrder,
): Promise<void> {
  const topic = parseTopic(orderTopic)
  if (topic.family !== 'request') return
  let outcome: Pick<CommandOutcome, 'accepted' | 'result' | 'error'>
  try {
    const result = await dispatch(services, topic.request, text)
    outcome = { accepted: true, ...(result === undefined ? {} : { result }) }
  } catch (error) {
    const record = toErrorRecord(error)
    if (record.family === 'defect') logger.error({ request: topic.request, err: error }, 'request failed')
    else logger.debug({ request: topic.request, code: record.code, reason: record.message }, 'request refused')
    outcome = { accepted: false, error: record }
  }
  if (id === null) {
    logger.warn({ request: topic.request }, 'request without a usable id cannot be answered')
    return
  }
  const timestamp = timestampOf(clock.now())
  await publishEvent(bus, outcomeEvent, { unit, id }, { id, ...outcome, timestamp }).catch((error: unknown) => {
    logger.warn({ request: topic.request, err: error }, 'outcome could not be published')
  })
}

function dispatch(services: readonly Service[], name: string, text: string): Promise<unknown> {
  const request = asRequestName(name)
  if (request === null) throw unknownRequest(name)
  const service = services.find((candidate) => candidate.requests[request] !== undefined)
  // The table pairs each request with a handler of its own type; across the names that is beyond the type checker.
  const handler = service?.requests[request] as ((body: Request<RequestName>) => Promise<unknown>) | undefined
  if (handler === undefined) throw unknownRequest(name)
  return handler(checkJson(requests[request], text))
}

const RequestUnknown = defineError('request.unknown', 'state', 'No running service takes this kind of command.')

const unknownRequest = (name: string): LabError =>
  new RequestUnknown(`No service of this unit answers the request '${name}'.`, {
    details: { request: name },
  })

const asRequestName = (name: string): RequestName | null =>
  Object.hasOwn(requests, name) ? (name as RequestName) : null

interface IdentifiedOrder {
  readonly text: string
  /** Null when nothing can be published under it. */
  readonly id: string | null
}

function withId(text: string): IdentifiedOrder {
  try {
    const order = JSON.parse(text) as { readonly id?: unknown }
    const { id = randomUUID() } = order
    if (typeof id !== 'string' || !COMMAND_ID.test(id)) return { text, id: null }
    return { text: JSON.stringify({ ...order, id }), id }
  } catch {
    return { text, id: null }
  }
}

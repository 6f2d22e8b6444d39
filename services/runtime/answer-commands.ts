import { randomUUID } from 'node:crypto'
import { publishEvent } from '../../bus/publish-event.js'
import { defineError, type LabError, toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import { type CommandOutcome, outcomeEvent } from '../../events/system/outcomes.js'
import { COMMAND_ID, commandTopic, parseTopic } from '../../events/topic.js'
import type { Answer } from './answer.js'

/** What carries out the command of this name now; undefined when nobody ever does. @throws LabError when it cannot be carried out now. */
export type FindAnswer = (command: string) => Answer | undefined

export interface AnswerDeps {
  readonly bus: MessageBus
  readonly unit: string
  readonly clock: Clock
  readonly logger: Logger
}

const CommandUnknown = defineError('request.unknown', 'state', 'No running service takes this kind of command.')

/** A client that lost its connection sends again what was not acknowledged; by then it has given so many other orders at most. */
const REMEMBERED = 1000

/** Answers `system/<unit>/commands/<name>` with the service that declares the command; every order gets an outcome, refusals included.
 * An order that comes again is carried out once. One without an id is given one, under which its task can be found; one with an id that
 * cannot be a topic level, and what is no JSON, is only logged. */
export async function answerCommands(find: FindAnswer, deps: AnswerDeps): Promise<() => Promise<void>> {
  const seen = new Set<string>()
  return deps.bus.subscribe(commandTopic(deps.unit, '+'), (message) => {
    const topic = parseTopic(message.topic)
    // A retained order is yesterday's order; or an outcome of a log in which outcomes had these topics.
    if (message.retain || topic.family !== 'command') return
    const order = withId(message.payload.toString())
    if (order === null) {
      deps.logger.warn({ command: topic.command }, 'order without a usable id cannot be answered')
      return
    }
    if (seen.has(order.id)) return
    seen.add(order.id)
    for (const oldest of seen) {
      if (seen.size <= REMEMBERED) break
      seen.delete(oldest)
    }
    void answerOrder(find, topic.command, order, deps)
  })
}

async function answerOrder(
  find: FindAnswer,
  command: string,
  { text, id }: IdentifiedOrder,
  { bus, unit, clock, logger }: AnswerDeps,
): Promise<void> {
  let outcome: Pick<CommandOutcome, 'accepted' | 'result' | 'error'>
  try {
    const answer = find(command)
    if (answer === undefined) throw commandUnknown(command)
    outcome = { accepted: true, result: await answer.carryOut(text, id) }
  } catch (error) {
    const record = toErrorRecord(error)
    if (record.family === 'defect') logger.error({ command, err: error }, 'command failed')
    else logger.debug({ command, code: record.code, reason: record.message }, 'command refused')
    outcome = { accepted: false, error: record }
  }
  const timestamp = timestampOf(clock.now())
  await publishEvent(bus, outcomeEvent, { unit, id }, { id, ...outcome, timestamp }).catch((error: unknown) => {
    logger.warn({ command, err: error }, 'outcome could not be published')
  })
}

const commandUnknown = (command: string): LabError =>
  new CommandUnknown(`No service of this unit answers the command '${command}'.`, { details: { command } })

interface IdentifiedOrder {
  readonly text: string
  readonly id: string
}

/** The order under its id; null when nothing can be published under that. */
function withId(text: string): IdentifiedOrder | null {
  try {
    const { id = randomUUID() } = JSON.parse(text) as { readonly id?: unknown }
    return typeof id === 'string' && COMMAND_ID.test(id) ? { text, id } : null
  } catch {
    return null
  }
}

import { Type } from '@sinclair/typebox'
import type { CommandDefinition } from '../../events/core/define-command.js'
import { CommandOutcome, outcomeEvent } from '../../events/system/outcomes.js'
import { braced } from './event-flows.js'
import { type MessageFlow, type Payload, payloadOf } from './message-flow.js'

const OUTCOME_TOPIC = braced(outcomeEvent.pattern)

const outcomeName = ({ name }: CommandDefinition): string => `outcome_of_${name}`

const outcomeOf = ({ result }: CommandDefinition): Payload => ({
  ...payloadOf(Type.Object({ ...CommandOutcome.properties, result: Type.Optional(result) })),
  hasId: true,
})

/** Orders that are not settings, and how each is answered. */
export const commandFlows = (commands: readonly CommandDefinition[]): readonly MessageFlow[] => [
  ...commands.map(
    (command): MessageFlow => ({
      topic: braced(command.pattern),
      action: 'receive',
      summary: command.doc,
      retained: false,
      payloads: { command: { ...payloadOf(command.message), hasId: true } },
      tag: 'system',
      reply: { topic: OUTCOME_TOPIC, payloads: [outcomeName(command)] },
    }),
  ),
  {
    topic: OUTCOME_TOPIC,
    action: 'send',
    summary: outcomeEvent.doc,
    retained: outcomeEvent.retained,
    payloads: {
      event: { ...payloadOf(outcomeEvent.payload), hasId: true },
      ...Object.fromEntries(commands.map((command) => [outcomeName(command), outcomeOf(command)])),
    },
    tag: 'system',
  },
]

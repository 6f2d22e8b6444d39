import { outcomeEvent, requests } from '../../events/system/commands.js'
import { requestTopic } from '../../events/topic.js'
import { braced } from './event-flows.js'
import type { MessageFlow } from './message-flow.js'

/** Orders that are not settings, and where each is answered. */
export const commandFlows: readonly MessageFlow[] = Object.entries(requests).map(([name, schema]) => ({
  topic: requestTopic('{unit}', name),
  action: 'receive',
  summary: `Orders ${name.replaceAll('_', ' ')}.`,
  retained: false,
  payloads: { command: { contentType: 'application/json', schema, hasId: true } },
  tag: 'system',
  replyTopic: braced(outcomeEvent.pattern),
}))

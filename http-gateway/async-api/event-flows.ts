import type { EventDefinition } from '../../events/core/define-event.js'
import { type MessageFlow, payloadOf } from './message-flow.js'

/** What the unit publishes beside the settings of its jobs. */
export const eventFlows = (events: readonly EventDefinition[]): readonly MessageFlow[] =>
  events.map(({ pattern, retained, payload, doc }) => ({
    topic: braced(pattern),
    action: 'send',
    summary: doc,
    retained,
    payloads: { event: payloadOf(payload) },
    tag: tagOf(pattern),
  }))

/** `system/<unit>/jobs/<job_id>` → `system/{unit}/jobs/{job_id}` */
export const braced = (pattern: string): string => pattern.replace(/<(\w+)>/g, '{$1}')

function tagOf(pattern: string): MessageFlow['tag'] {
  const root = pattern.split('/')[0]
  return root === 'pioreactor' ? 'bioreactor' : root === 'potentiostat' ? 'potentiostat' : 'system'
}

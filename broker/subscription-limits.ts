import { topicProblem } from './access.js'

/** Filters of one client: a dashboard has tens, a flow some hundreds. Every filter is work at every message. */
const MAX_FILTERS = 1000

/** Why a filter is not granted; null when it is.
 * @param others filters the client has already */
export function subscriptionProblem(filter: string, others: number): string | null {
  // In MQTT 5 the members of a group share the messages; here each would wait for a topic that begins so.
  if (filter.startsWith('$share/')) return 'shared subscriptions belong to MQTT 5'
  const problem = topicProblem(filter)
  if (problem !== null) return `a filter ${problem}`
  if (others >= MAX_FILTERS) return `a client has at most ${MAX_FILTERS} filters`
  return null
}

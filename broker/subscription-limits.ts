/** Filters of one client: a dashboard has tens, a flow some hundreds. Every filter is work at every message. */
const MAX_FILTERS = 1000
/** Far above the topics of a bench, far below the 65 535 bytes of the standard. */
const MAX_FILTER_BYTES = 1024
/** As for topics. */
const MAX_LEVELS = 100

/** Why a filter is not granted; null when it is.
 * @param others filters the client has already */
export function subscriptionProblem(filter: string, others: number): string | null {
  // In MQTT 5 the members of a group share the messages; here each would wait for a topic that begins so.
  if (filter.startsWith('$share/')) return 'shared subscriptions belong to MQTT 5'
  const bytes = Buffer.byteLength(filter)
  if (bytes > MAX_FILTER_BYTES) return `a filter has at most ${MAX_FILTER_BYTES} bytes, not ${bytes}`
  if (filter.length >= MAX_LEVELS && filter.split('/').length > MAX_LEVELS)
    return `a filter has at most ${MAX_LEVELS} levels`
  if (others >= MAX_FILTERS) return `a client has at most ${MAX_FILTERS} filters`
  return null
}

import { createHash, timingSafeEqual } from 'node:crypto'
import { isCommandTopic, matchesFilter } from '../events/topic.js'

/** Who a connection is: our own services, the leader of a cluster, or anybody else. Everybody may subscribe to everything. */
export type Role = 'service' | 'leader' | 'client'

export interface Credentials {
  readonly servicePassword: string
  /** Empty: nobody is the leader. */
  readonly leaderPassword: string
  /** What outside clients must give; an empty name lets everybody in. */
  readonly mqttUsername: string
  readonly mqttPassword: string
}

const digest = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest()

/** Compares in a time that tells nothing of the secret. */
const isSecret = (secret: string, given: Uint8Array | undefined): boolean =>
  secret !== '' && timingSafeEqual(digest(secret), digest(given ?? ''))

/** The role that user name and password prove, or null. The names `service` and `leader` are reserved for their passwords. */
export function authenticate(
  { servicePassword, leaderPassword, mqttUsername, mqttPassword }: Credentials,
  username: string | undefined,
  password: Uint8Array | undefined,
): Role | null {
  if (username === 'service') return isSecret(servicePassword, password) ? 'service' : null
  if (username === 'leader') return isSecret(leaderPassword, password) ? 'leader' : null
  if (mqttUsername === '') return 'client'
  return username === mqttUsername && isSecret(mqttPassword, password) ? 'client' : null
}

const OUR_ROOTS = ['pioreactor', 'potentiostat', 'system']

/** Whether the topic's first level is one of ours. */
export const isOurs = (topic: string): boolean => {
  const slash = topic.indexOf('/')
  return OUR_ROOTS.includes(slash === -1 ? topic : topic.slice(0, slash))
}

/** What a leader publishes besides commands: which experiment a unit belongs to, profiles, and its own log lines. */
const LEADER_FILTERS = [
  'pioreactor/+/$experiment/assignment',
  'pioreactor/+/+/experiment_profile/#',
  'pioreactor/+/+/logs/#',
]

/** An order that is not spelt `/set`: blink the LED of a unit (Pioreactor 26.7, monitor job). */
const IDENTIFY_FILTER = 'pioreactor/+/+/monitor/flicker_led_response_okay'

/** Whether a message on this topic makes something happen. */
export const isOrder = (topic: string): boolean => isCommandTopic(topic) || matchesFilter(IDENTIFY_FILTER, topic)

/** Filters have no more either: Aedes refuses those. */
const MOST_LEVELS = 100

/** Why a publish is refused, as a clause for the refusal's event; null when it is allowed. */
export function refusalOf(role: Role, topic: string, retain: boolean): string | null {
  if (topic === '' || /[+#\0]/.test(topic)) return 'a topic name is not empty and has no +, # or NUL'
  // No topic has more levels than characters and one.
  if (topic.length >= MOST_LEVELS && topic.split('/').length > MOST_LEVELS) {
    return `a topic has at most ${MOST_LEVELS} levels`
  }
  if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker'
  if (retain && isCommandTopic(topic)) return 'a command is never retained: it would be obeyed again at every reconnect'
  if (role === 'service' || !isOurs(topic) || isOrder(topic)) return null
  if (role === 'leader') {
    if (LEADER_FILTERS.some((filter) => matchesFilter(filter, topic))) return null
    return 'a leader publishes assignments, experiment profiles, logs and commands'
  }
  return 'an outside client publishes commands, and topics outside pioreactor/, potentiostat/ and system/'
}

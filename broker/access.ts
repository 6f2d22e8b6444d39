import { createHash, timingSafeEqual } from 'node:crypto'
import { MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS } from '../events/limits.js'
import { isCommandTopic, matchesFilter } from '../events/topic.js'
import { orderTest, systemRights, type TopicRights } from '../events/topic-rights.js'

/** Who a connection is: our own services, the leader of a cluster, another unit of it, or anybody else. Everybody may subscribe to everything. */
export type Role = 'service' | 'leader' | 'worker' | 'client'

export interface Credentials {
  readonly servicePassword: string
  /** Empty: there is no such user. */
  readonly leaderPassword: string
  /** Empty: there is no such user. */
  readonly workerPassword: string
  /** What outside clients must give; an empty name lets everybody in. */
  readonly mqttUsername: string
  readonly mqttPassword: string
}

const digest = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest()

/** Compares in a time that tells nothing of the secret. */
const isSecret = (secret: string, given: Uint8Array | undefined): boolean =>
  secret !== '' && timingSafeEqual(digest(secret), digest(given ?? ''))

/** The role that user name and password prove, or null. The names `service`, `leader` and `worker` are reserved for their passwords. */
export function authenticate(
  { servicePassword, leaderPassword, workerPassword, mqttUsername, mqttPassword }: Credentials,
  username: string | undefined,
  password: Uint8Array | undefined,
): Role | null {
  if (username === 'service') return isSecret(servicePassword, password) ? 'service' : null
  if (username === 'leader') return isSecret(leaderPassword, password) ? 'leader' : null
  if (username === 'worker') return isSecret(workerPassword, password) ? 'worker' : null
  if (mqttUsername === '') return 'client'
  return username === mqttUsername && isSecret(mqttPassword, password) ? 'client' : null
}

/** What is too long or too deep in a topic or a filter, as a clause without its subject; null when nothing is. */
export function topicProblem(topic: string): string | null {
  // No topic has more levels than characters and one, nor more than three bytes a character.
  if (topic.length < MAX_TOPIC_LEVELS) return null
  if (topic.split('/').length > MAX_TOPIC_LEVELS) return `has at most ${MAX_TOPIC_LEVELS} levels`
  const bytes = Buffer.byteLength(topic)
  return bytes > MAX_TOPIC_BYTES ? `has at most ${MAX_TOPIC_BYTES} bytes, not ${bytes}` : null
}

/** Who may publish what. */
export interface Access {
  /** Whether the topic's first level is one of ours. */
  isOurs(topic: string): boolean
  /** Whether a message on this topic makes something happen. */
  isOrder(topic: string): boolean
  /** Why a publish is refused, as a clause for the refusal's event; null when it is allowed. */
  refusalOf(role: Role, topic: string, retain: boolean): string | null
}

/** @param rights one for each instrument
 * @param names of this unit, under which no other one publishes */
export function createAccess(rights: readonly TopicRights[], names: readonly string[]): Access {
  const roots = [...rights, systemRights].map(({ root }) => root)
  const leaderFilters = rights.flatMap(({ leader = [] }) => leader)
  const isOrder = orderTest(rights)
  const workerFilters = rights.flatMap(({ workers = [] }) => workers)
  const families = roots.map((root) => `${root}/`)
  const ours = `${families.slice(0, -1).join(', ')} and ${families.at(-1)}`

  const isOurs = (topic: string): boolean => {
    const slash = topic.indexOf('/')
    return roots.includes(slash === -1 ? topic : topic.slice(0, slash))
  }
  return {
    isOurs,
    isOrder,
    refusalOf(role, topic, retain) {
      const problem = topicProblem(topic)
      if (problem !== null) return `a topic ${problem}`
      if (topic.startsWith('$')) return 'topics that begin with $ belong to the broker'
      if (retain && isCommandTopic(topic)) {
        return 'a command is never retained: it would be obeyed again at every reconnect'
      }
      if (role === 'service' || !isOurs(topic) || isOrder(topic)) return null
      if (role === 'leader') {
        if (leaderFilters.some((filter) => matchesFilter(filter, topic))) return null
        return 'a leader publishes assignments, experiment profiles, logs and commands'
      }
      if (role === 'worker') {
        const name = topic.split('/')[1] ?? ''
        const isOther = !names.includes(name) && !name.startsWith('$')
        if (isOther && workerFilters.some((filter) => matchesFilter(filter, topic))) return null
        return `a worker publishes ${workerFilters.join(', ')} under its own name, and commands`
      }
      return `an outside client publishes commands, and topics outside ${ours}`
    },
  }
}

import { isCommandTopic, matchesFilter } from './topic.js'

/** A part of the topics, and what others than the services may publish in it. */
export interface TopicRights {
  /** First level of its topics. */
  readonly root: string
  /** Filters of what the leader of a cluster publishes beside commands. */
  readonly leader?: readonly string[]
  /** Those of them that tell a unit, under its own name, what the leader decides for it. */
  readonly decided?: readonly string[]
  /** Those of them that are said once, and not retained. */
  readonly passing?: readonly string[]
  /** Filters of what other units publish under their own names, when this unit's broker is theirs too. */
  readonly workers?: readonly string[]
  /** Filters of orders that are not spelt `/set`. */
  readonly orders?: readonly string[]
}

/** The topics of the unit itself. */
export const systemRights: TopicRights = { root: 'system' }

/** Whether a message on a topic makes something happen. */
export function orderTest(rights: readonly TopicRights[]): (topic: string) => boolean {
  const filters = rights.flatMap(({ orders = [] }) => orders)
  return (topic) => isCommandTopic(topic) || filters.some((filter) => matchesFilter(filter, topic))
}

/** A part of the topics, and what others than the services may publish in it. */
export interface TopicRights {
  /** First level of its topics. */
  readonly root: string
  /** Filters of what the leader of a cluster publishes beside commands. */
  readonly leader?: readonly string[]
  /** Filters of orders that are not spelt `/set`. */
  readonly orders?: readonly string[]
}

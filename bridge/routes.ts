import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import type { TopicRights } from '../events/topic-rights.js'
import { orderTest } from '../events/topic-rights.js'

/** Whose topics they are, and which of them go to the peer. */
export interface RouteOptions {
  readonly unit: string
  readonly box: string
  /** The families that are ours, `system` included. */
  readonly rights: readonly TopicRights[]
  /** First levels of the topics that are forwarded. */
  readonly families: readonly string[]
}

export interface Routes {
  /** Whether events on a topic go to the peer. */
  isForwarded: TopicTest
  /** What holds, at the peer, everything forwarded under our own name. */
  readonly ownFilters: readonly string[]
}

/** Which way a topic goes. No topic goes both ways, so that nothing comes back: what is told under the unit's own name goes out, but for the
 * orders to it and what a leader decides for it. */
export function createRoutes({ unit, box, rights, families }: RouteOptions): Routes {
  const isOrder = orderTest(rights)
  const isDecided = compileFilters(rights.flatMap(({ decided = [] }) => decided))
  const names = [...new Set([unit, box])]
  const isOurs = (family: string): boolean => rights.some(({ root }) => root === family)
  const ownFilters = families.filter(isOurs).flatMap((family) => names.map((name) => `${family}/${name}/#`))
  const foreign = families.filter((family) => !isOurs(family)).map((family) => `${family}/#`)
  const matches = compileFilters([...ownFilters, ...foreign])
  return { isForwarded: (topic) => matches(topic) && !isOrder(topic) && !isDecided(topic), ownFilters }
}

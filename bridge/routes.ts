import { compileFilters, type TopicTest } from '../events/filter-tree.js'
import { parseTopic } from '../events/topic.js'
import { orderTest, type TopicRights } from '../events/topic-rights.js'

/** Whose topics they are, and which of them go to the peer. */
export interface RouteOptions {
  readonly unit: string
  readonly box: string
  /** The families that are ours, `system` included. */
  readonly rights: readonly TopicRights[]
  /** First levels of the topics that are forwarded. */
  readonly families: readonly string[]
}

/** A message of the peer as it is published here. */
export interface Import {
  readonly topic: string
  /** `order`: carried out at once or not at all. `kept`: retained. `passing`: said once. */
  readonly kind: 'order' | 'kept' | 'passing'
}

export interface Routes {
  /** Whether events on a topic go to the peer. */
  isForwarded: TopicTest
  /** What holds, at the peer, everything forwarded under our own name. */
  readonly ownFilters: readonly string[]
  /** What is asked of the peer. */
  readonly importFilters: readonly string[]
  /** What of it is retained there. */
  readonly keptFilters: readonly string[]
  /** How a message on a topic of the peer is published here; null: not at all. */
  importOf(topic: string): Import | null
}

const EVERYBODY = '$broadcast'

/** Which way a topic goes. No topic goes both ways, so that nothing comes back, however units are bridged to each other: what is told under the unit's
 * own name goes out, but for the orders to it and what a leader decides for it. These come in, with what others log and which profiles they
 * run. An order to everybody comes in as one to this unit: it would go on to all who are bridged to us, and from them back again. */
export function createRoutes({ unit, box, rights, families }: RouteOptions): Routes {
  const names = [...new Set([unit, box])]
  const isOrder = orderTest(rights)
  const decided = rights.flatMap((right) => right.decided ?? [])
  const isDecided = compileFilters(decided)
  const isPassing = compileFilters(rights.flatMap(({ passing = [] }) => passing))

  const isOurs = (family: string): boolean => rights.some(({ root }) => root === family)
  const ownFilters = families.filter(isOurs).flatMap((family) => names.map((name) => `${family}/${name}/#`))
  const foreign = families.filter((family) => !isOurs(family)).map((family) => `${family}/#`)
  const matches = compileFilters([...ownFilters, ...foreign])

  const orders = ['pioreactor/+/+/+/+/set', ...rights.flatMap((right) => right.orders ?? [])]
  const toUs = orders.flatMap((filter) => [unit, EVERYBODY].map((name) => named(filter, name)))
  const decidedForUs = decided.map((filter) => named(filter, unit))
  const ofLeaders = rights.flatMap(({ leader = [] }) => leader).filter((filter) => !decided.includes(filter))

  const importOf = (topic: string): Import | null => {
    const [, name = '', ...rest] = topic.split('/')
    if (isOrder(topic)) {
      if (parseTopic(topic).family === 'command' || (name !== unit && name !== EVERYBODY)) return null
      return { topic: named(topic, unit), kind: 'order' }
    }
    if (isDecided(topic)) return name === unit ? { topic, kind: 'kept' } : null
    if (rest.length === 0 || names.includes(name)) return null
    return { topic, kind: isPassing(topic) ? 'passing' : 'kept' }
  }
  return {
    isForwarded: (topic) => matches(topic) && !isOrder(topic) && !isDecided(topic),
    ownFilters,
    importFilters: [...toUs, ...decidedForUs, ...ofLeaders],
    keptFilters: [...decidedForUs, ...ofLeaders.filter((filter) => !isPassing(filter))],
    importOf,
  }
}

/** With another name at the second level, where the unit stands. */
const named = (topic: string, name: string): string => topic.replace(/^([^/]+)\/[^/]+/, (_, root) => `${root}/${name}`)

import type { Qos } from '../events/event.js'
import type { FilterNode, FilterSet } from './filter-set.js'
import type { Message } from './message.js'

interface Node {
  /** Undefined for most: an empty map takes more memory than a value. */
  children: Map<string, Node> | undefined
  message: Message | undefined
}

const newNode = (): Node => ({ children: undefined, message: undefined })

export interface Retained {
  readonly message: Message
  /** The highest granted among the filters that match. */
  readonly granted: Qos
}

/** The retained event of every topic, found by filter. Those of the log are put back from it at start. */
export class RetainedValues {
  readonly #root = newNode()
  /** Where the topics with a value are in the tree: a value is replaced far more often than it is looked for. */
  readonly #nodes = new Map<string, Node>()

  /** Keeps a retained event, or forgets its topic when the payload is empty [MQTT-3.3.1-10]. */
  keep(message: Message): void {
    const { topic, payload } = message
    if (payload.length === 0) {
      if (this.#nodes.delete(topic)) forget(this.#root, topic.split('/'), 0)
      return
    }
    const node = this.#nodes.get(topic) ?? this.#add(topic)
    node.message = message
  }

  #add(topic: string): Node {
    let node = this.#root
    for (const level of topic.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        child = newNode()
        node.children.set(level, child)
      }
      node = child
    }
    this.#nodes.set(topic, node)
    return node
  }

  /** Every topic that any of the filters matches, once, with its value at the moment it is reached. Values may change between two
   * steps; each step is short, and yields undefined when it found nothing. */
  walk(filters: FilterSet): Iterator<Retained | undefined, undefined> {
    return walk(this.#root, filters.root)
  }
}

function forget(node: Node, levels: readonly string[], depth: number): void {
  const level = levels[depth]
  if (level === undefined) {
    node.message = undefined
    return
  }
  const child = node.children?.get(level)
  if (child === undefined) return
  forget(child, levels, depth + 1)
  if (child.message !== undefined || child.children !== undefined) return
  node.children?.delete(level)
  if (node.children?.size === 0) node.children = undefined
}

/** A place in the tree and the filters that lead there. */
interface Place {
  readonly node: Node
  /** Filters whose levels so far match, and that go on. */
  readonly here: readonly FilterNode[]
  /** Ends of the filters that match everything from here on: `#`. */
  readonly all: readonly FilterNode[]
  /** Levels still to be looked at. */
  readonly names: Iterator<string>
}

function* walk(root: Node, filters: FilterNode): Generator<Retained | undefined, undefined> {
  const path = [placeOf(root, [filters], childrenOf([filters], '#'))]
  for (let place = path[0]; place !== undefined; place = path.at(-1)) {
    const { done, value: name } = place.names.next()
    if (done === true) {
      path.pop()
      continue
    }
    const child = place.node.children?.get(name)
    if (child === undefined) {
      yield undefined
      continue
    }
    // A wildcard at the first level does not match `$…` [MQTT-4.7.2-1].
    const wildcards = path.length > 1 || !name.startsWith('$')
    const here = following(place.here, name, wildcards)
    const all = wildcards ? place.all : []
    // `a/#` also matches `a` itself [MQTT-4.7.1-2].
    const below = [...all, ...childrenOf(here, '#')]
    const granted = highest(here, below)
    const { message } = child
    yield message === undefined || granted === undefined ? undefined : { message, granted }
    if (child.children !== undefined && (here.length > 0 || below.length > 0)) path.push(placeOf(child, here, below))
  }
  return undefined
}

function placeOf(node: Node, here: readonly FilterNode[], all: readonly FilterNode[]): Place {
  const everything = all.length > 0 || here.some(({ children }) => children.has('+'))
  const names = everything ? node.children?.keys() : new Set(here.flatMap(({ children }) => [...children.keys()]))
  return { node, here, all, names: (names ?? [])[Symbol.iterator]() }
}

const childrenOf = (nodes: readonly FilterNode[], level: string): FilterNode[] =>
  nodes.flatMap(({ children }) => children.get(level) ?? [])

const following = (nodes: readonly FilterNode[], name: string, wildcards: boolean): FilterNode[] =>
  wildcards ? [...childrenOf(nodes, name), ...childrenOf(nodes, '+')] : childrenOf(nodes, name)

function highest(...groups: readonly (readonly FilterNode[])[]): Qos | undefined {
  let highest: Qos | undefined
  for (const group of groups) {
    for (const { qos } of group) if (qos !== undefined && qos >= (highest ?? 0)) highest = qos
  }
  return highest
}

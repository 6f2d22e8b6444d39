import type { Qos } from '../events/event.js'

/** Filters by level; `+` and `#` are levels like any other, followed at every topic. */
interface Node<S> {
  readonly children: Map<string, Node<S>>
  readonly granted: Map<S, Qos>
}

export interface Match<S> {
  readonly subscriber: S
  /** The highest granted among the subscriber's filters that match. */
  readonly qos: Qos
}

const newNode = <S>(): Node<S> => ({ children: new Map(), granted: new Map() })

/** Topics whose matches are remembered; a bench has hundreds, a client that invents topics must not fill the memory. */
const REMEMBERED_TOPICS = 4096

/** Which subscribers a topic goes to: one entry per subscriber however many of its filters match. */
export class SubscriptionTree<S> {
  readonly #root = newNode<S>()
  readonly #remembered = new Map<string, readonly Match<S>[]>()

  add(filter: string, subscriber: S, qos: Qos): void {
    this.#remembered.clear()
    let node = this.#root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (child === undefined) {
        child = newNode<S>()
        node.children.set(level, child)
      }
      node = child
    }
    node.granted.set(subscriber, qos)
  }

  remove(filter: string, subscriber: S): void {
    this.#remembered.clear()
    prune(this.#root, filter.split('/'), 0, subscriber)
  }

  match(topic: string): readonly Match<S>[] {
    let matches = this.#remembered.get(topic)
    if (matches === undefined) {
      const found = new Map<S, Qos>()
      collect(this.#root, topic.split('/'), 0, found)
      matches = [...found].map(([subscriber, qos]) => ({ subscriber, qos }))
      if (this.#remembered.size >= REMEMBERED_TOPICS) this.#remembered.clear()
      this.#remembered.set(topic, matches)
    }
    return matches
  }
}

/** Removes the subscriber and the nodes that only it kept. */
function prune<S>(node: Node<S>, levels: readonly string[], depth: number, subscriber: S): void {
  const level = levels[depth]
  if (level === undefined) {
    node.granted.delete(subscriber)
    return
  }
  const child = node.children.get(level)
  if (child === undefined) return
  prune(child, levels, depth + 1, subscriber)
  if (child.granted.size === 0 && child.children.size === 0) node.children.delete(level)
}

function collect<S>(node: Node<S>, levels: readonly string[], depth: number, found: Map<S, Qos>): void {
  // A wildcard at the first level does not match `$…` [MQTT-4.7.2-1].
  const wildcards = depth > 0 || levels[0]?.startsWith('$') !== true
  if (wildcards) take(node.children.get('#'), found)
  const level = levels[depth]
  if (level === undefined) {
    take(node, found)
    return
  }
  const exact = node.children.get(level)
  if (exact !== undefined) collect(exact, levels, depth + 1, found)
  const any = wildcards ? node.children.get('+') : undefined
  if (any !== undefined) collect(any, levels, depth + 1, found)
}

function take<S>(node: Node<S> | undefined, found: Map<S, Qos>): void {
  for (const [subscriber, qos] of node?.granted ?? []) {
    if (qos >= (found.get(subscriber) ?? 0)) found.set(subscriber, qos)
  }
}

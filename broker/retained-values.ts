import type { Message } from './message.js'

interface Node {
  readonly children: Map<string, Node>
  message: Message | undefined
}

const newNode = (): Node => ({ children: new Map(), message: undefined })

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

  find(filter: string): readonly Message[] {
    const found: Message[] = []
    collect(this.#root, filter.split('/'), 0, found)
    return found
  }
}

function forget(node: Node, levels: readonly string[], depth: number): void {
  const level = levels[depth]
  if (level === undefined) {
    node.message = undefined
    return
  }
  const child = node.children.get(level)
  if (child === undefined) return
  forget(child, levels, depth + 1)
  if (child.message === undefined && child.children.size === 0) node.children.delete(level)
}

function collect(node: Node, levels: readonly string[], depth: number, found: Message[]): void {
  const level = levels[depth]
  switch (level) {
    case undefined:
      if (node.message !== undefined) found.push(node.message)
      break
    case '#':
      // `a/#` also matches `a` itself [MQTT-4.7.1-2].
      if (node.message !== undefined) found.push(node.message)
      for (const child of wildcardChildren(node, depth)) collectAll(child, found)
      break
    case '+':
      for (const child of wildcardChildren(node, depth)) collect(child, levels, depth + 1, found)
      break
    default: {
      const child = node.children.get(level)
      if (child !== undefined) collect(child, levels, depth + 1, found)
    }
  }
}

function collectAll(node: Node, found: Message[]): void {
  if (node.message !== undefined) found.push(node.message)
  for (const child of node.children.values()) collectAll(child, found)
}

/** A wildcard at the first level does not match `$…` [MQTT-4.7.2-1]. */
function* wildcardChildren(node: Node, depth: number): Generator<Node> {
  for (const [name, child] of node.children) {
    if (depth > 0 || !name.startsWith('$')) yield child
  }
}

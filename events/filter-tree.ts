interface Node<T> {
  readonly children: Map<string, Node<T>>
  value: T | undefined
}

const newNode = <T>(): Node<T> => ({ children: new Map(), value: undefined })

/** MQTT topic filters by level, each with a value; `+` and `#` are levels like any other, followed at every topic. Looking a topic up
 * costs what its own levels cost, however many filters there are. */
export class FilterTree<T> {
  readonly #root = newNode<T>()

  get(filter: string): T | undefined {
    let node: Node<T> | undefined = this.#root
    for (const level of filter.split('/')) node = node?.children.get(level)
    return node?.value
  }

  set(filter: string, value: T): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (child === undefined) {
        child = newNode<T>()
        node.children.set(level, child)
      }
      node = child
    }
    node.value = value
  }

  /** Forgets a filter and the levels that only it kept. */
  delete(filter: string): void {
    const levels = filter.split('/')
    const path = [this.#root]
    for (const level of levels) {
      const child = path.at(-1)?.children.get(level)
      if (child === undefined) return
      path.push(child)
    }
    const last = path.at(-1)
    if (last !== undefined) last.value = undefined
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]
      if (node === undefined || node.value !== undefined || node.children.size > 0) return
      path[depth - 1]?.children.delete(levels[depth - 1] ?? '')
    }
  }

  /** The values of all filters that match a topic [MQTT-4.7]. */
  match(topic: string): T[] {
    const found: T[] = []
    collect(this.#root, topic.split('/'), 0, found)
    return found
  }
}

function collect<T>(node: Node<T>, levels: readonly string[], depth: number, found: T[]): void {
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

function take<T>(node: Node<T> | undefined, found: T[]): void {
  if (node?.value !== undefined) found.push(node.value)
}

/** Whether a topic matches any of the filters it was made from. */
export type TopicTest = (topic: string) => boolean

/** Topics whose answer is remembered; a client that invents topics must not fill the memory. */
const REMEMBERED_TOPICS = 20_000

/** Compiles filters once, to be asked of many topics. A topic seen before is answered from memory. */
export function compileFilters(filters: Iterable<string>): TopicTest {
  const tree = new FilterTree<true>()
  for (const filter of filters) tree.set(filter, true)
  const remembered = new Map<string, boolean>()
  return (topic) => {
    let matches = remembered.get(topic)
    if (matches === undefined) {
      matches = tree.match(topic).length > 0
      if (remembered.size >= REMEMBERED_TOPICS) remembered.clear()
      remembered.set(topic, matches)
    }
    return matches
  }
}

import type { Qos } from '../events/event.js'

/** Filters that share their first levels, level by level. */
export interface FilterNode {
  readonly children: Map<string, FilterNode>
  /** Granted to the filter that ends here; undefined when none does. */
  qos: Qos | undefined
}

const newNode = (): FilterNode => ({ children: new Map(), qos: undefined })

/** The filters of one question, to be compared with topics all at once. */
export class FilterSet {
  readonly root = newNode()

  add(filter: string, qos: Qos): void {
    let node = this.root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (child === undefined) {
        child = newNode()
        node.children.set(level, child)
      }
      node = child
    }
    node.qos = qos
  }

  /** The filter matches nothing from now on, also in a walk under way. */
  remove(filter: string): void {
    let node: FilterNode | undefined = this.root
    for (const level of filter.split('/')) node = node?.children.get(level)
    if (node !== undefined) node.qos = undefined
  }
}

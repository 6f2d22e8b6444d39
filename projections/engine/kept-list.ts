import { setImmediate as nextTurn } from 'node:timers/promises'
import { createSerialQueue } from '../../primitives/serial-queue.js'

/** How a long list is kept. */
export interface KeptListOptions<Row extends { readonly changed_at: number }, Item> {
  /** Position of the event that changed any row last; 0 without rows. */
  readonly lastChange: () => Promise<number>
  /** Up to {@link PAGE_ROWS} rows that changed after a position, in the order of their changes. */
  readonly changedAfter: (position: number) => Promise<readonly Row[]>
  /** Negative when the first stands before the second in the list. Zero only for the same row, whatever changed in it. */
  readonly compare: (one: Row, other: Row) => number
  readonly itemOf: (row: Row) => Promise<Item>
  /** Whether an item depends on nothing but its row. One that does not is made anew each time. */
  readonly isSettled: (item: Item) => boolean
}

/** Some milliseconds of work; other work of the thread goes on between two pages. */
export const PAGE_ROWS = 100
/** Nobody who looks again and again waits so long, and what nobody looks at takes no memory. */
const FORGET_MS = 60_000

interface Entry<Row, Item> {
  readonly row: Row
  readonly item: Item
}

/** A list of which there may be thousands of rows, most of them as they were when it was asked for last: only what changed since is read.
 * The same array, and in it the same items, are given as long as they have not changed, so that what is made of them can be kept by them. */
export function keptList<Row extends { readonly changed_at: number }, Item>({
  lastChange,
  changedAfter,
  compare,
  itemOf,
  isSettled,
}: KeptListOptions<Row, Item>): () => Promise<readonly Item[]> {
  const serially = createSerialQueue()
  let entries: Entry<Row, Item>[] = []
  let items: readonly Item[] = []
  let seen = 0

  const forget = (): void => {
    entries = []
    items = []
    seen = 0
  }
  const forgetting = setTimeout(forget, FORGET_MS).unref()

  /** Where the row is, or belongs. */
  function placeOf(row: Row): number {
    let [low, high] = [0, entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = entries[middle]
      if (found !== undefined && compare(found.row, row) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** @returns whether the list is another one now. */
  async function put(row: Row): Promise<boolean> {
    const item = await itemOf(row)
    const place = placeOf(row)
    const present = entries[place]
    if (present === undefined || compare(present.row, row) !== 0) entries.splice(place, 0, { row, item })
    else if (JSON.stringify(present.item) === JSON.stringify(item)) return false
    else entries[place] = { row, item }
    return true
  }

  async function refresh(): Promise<readonly Item[]> {
    forgetting.refresh()
    const last = await lastChange()
    // The rows of another log, or folded anew.
    if (last < seen) forget()
    let changed = false
    while (seen < last) {
      const rows = await changedAfter(seen)
      for (const row of rows) {
        changed = (await put(row)) || changed
        seen = row.changed_at
      }
      if (rows.length < PAGE_ROWS) break
      await nextTurn()
    }
    for (const { row } of entries.filter(({ item }) => !isSettled(item))) changed = (await put(row)) || changed
    if (changed) items = entries.map(({ item }) => item)
    return items
  }

  return () => serially(refresh)
}

/** Runs work given to it in that order, each only after the one before it settled. */
export type SerialQueue = <T>(work: () => Promise<T>) => Promise<T>

/** A queue that runs one at a time. The promise of each work is the caller's: one that rejects does not hold up those behind it.
 * @example
 * ```ts
 * const serially = createSerialQueue()
 * const first = serially(() => write('first'))
 * const second = serially(() => write('second')) // begins when the first write has ended
 * ``` */
export function createSerialQueue(): SerialQueue {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}

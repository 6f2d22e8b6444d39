/** Fires when nobody has been there for a while, at first too. */
export interface IdleTimer {
  /** Somebody came. */
  enter(): void
  /** Somebody left who had come. */
  leave(): void
  end(): void
}

/** @param idleMs Time of the machine. */
export function createIdleTimer(idleMs: number, onIdle: () => void): IdleTimer {
  let present = 0
  let ended = false
  let timer = setTimeout(onIdle, idleMs)
  return {
    enter() {
      present++
      clearTimeout(timer)
    },
    leave() {
      present--
      if (present === 0 && !ended) timer = setTimeout(onIdle, idleMs)
    },
    end() {
      ended = true
      clearTimeout(timer)
    },
  }
}

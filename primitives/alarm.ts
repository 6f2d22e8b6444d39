/** Waits that end early. A ring while nobody waits ends the next wait. */
export class Alarm {
  readonly #stop: AbortSignal
  #rung = false
  #wake = (): void => undefined

  constructor(stop: AbortSignal) {
    this.#stop = stop
    stop.addEventListener('abort', () => this.#wake(), { once: true })
  }

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  /** Resolves after `leastMs` when rung, else after `mostMs`; at once when stopped. */
  async wait(leastMs: number, mostMs: number): Promise<void> {
    if (leastMs > 0) await this.#sleep(leastMs, () => this.#stop.aborted)
    if (mostMs > leastMs) await this.#sleep(mostMs - leastMs, () => this.#rung || this.#stop.aborted)
    this.#rung = false
  }

  async #sleep(ms: number, isOver: () => boolean): Promise<void> {
    if (isOver()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        if (!isOver()) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => undefined
  }
}

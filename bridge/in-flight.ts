/** What was sent and is not acknowledged yet, in the order of the log. */
export class InFlight {
  readonly #bytes = new Map<number, number>()
  #sum = 0
  readonly #qos2 = new Set<number>()

  get events(): number {
    return this.#bytes.size
  }

  get bytes(): number {
    return this.#sum
  }

  /** Messages of QoS 2: the peer hands them on when they are released, later than what was sent behind them with a lower QoS. */
  get exactlyOnce(): number {
    return this.#qos2.size
  }

  sent(position: number, bytes: number, qos: 1 | 2): void {
    this.#bytes.set(position, bytes)
    this.#sum += bytes
    if (qos === 2) this.#qos2.add(position)
  }

  acknowledged(position: number): void {
    const bytes = this.#bytes.get(position)
    if (bytes === undefined) return
    this.#bytes.delete(position)
    this.#qos2.delete(position)
    this.#sum -= bytes
  }

  /** Everything up to here is acknowledged.
   * @param looked everything up to here was sent, or need not be */
  doneUpTo(looked: number): number {
    const [lowest] = this.#bytes.keys()
    return lowest === undefined ? looked : lowest - 1
  }
}

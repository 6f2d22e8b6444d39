import type { Logger, MessageBus } from '../../events/ports.js'
import { deadline } from '../../primitives/deadline.js'

interface Message {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

/** What waits for the broker at most. An hour of a job that publishes three messages per second. */
const CAPACITY = 10_000
/** Sent together, so that they share a commit of the log. */
const BATCH = 50
/** Attempts on a working connection before a message counts as undeliverable. */
const ATTEMPTS = 3

/** Messages of one connection, in order, without making their author wait. While the broker is away they wait too; when the queue is
 * full an older value of a retained topic gives way to a newer one, and what had to be given up is counted and reported. */
export class PublishQueue {
  readonly #bus: MessageBus
  readonly #logger: Logger
  readonly #capacity: number
  #queue: Message[] = []
  #sending: Promise<void> | null = null
  #closed = false
  #givenUp = 0
  #failures = 0
  #wake: () => void = () => undefined
  readonly #endConnection: () => void

  constructor(bus: MessageBus, logger: Logger, capacity = CAPACITY) {
    this.#bus = bus
    this.#logger = logger
    this.#capacity = capacity
    this.#endConnection = bus.onConnection(() => this.#wake())
  }

  push(topic: string, payload: string, retain: boolean): void {
    if (this.#closed) return
    if (this.#queue.length >= this.#capacity) this.#makeRoom()
    this.#queue.push({ topic, payload, retain })
    this.#sending ??= this.#send()
  }

  /** Messages that were given up since the last call. */
  takeGivenUp(): number {
    const count = this.#givenUp
    this.#givenUp = 0
    return count
  }

  /** Resolves when what is queued now is acknowledged, or after `timeoutMs`; at once while the broker is away. */
  async acknowledged(timeoutMs: number): Promise<void> {
    if (this.#sending === null || !this.#bus.connected) return
    await deadline(timeoutMs, this.#sending, () => undefined)
  }

  /** Resolves when everything is acknowledged, or after `timeoutMs`: a broker that is away must not hold a shutdown up.
   * @param others whose messages are still to come. */
  async drain(timeoutMs: number, others: Promise<unknown> = Promise.resolve()): Promise<void> {
    const sent = others.then(async () => {
      while (this.#sending !== null) await this.#sending
    })
    await deadline(this.#bus.connected ? timeoutMs : 0, sent, () => undefined)
    this.#closed = true
    this.#queue = []
    this.#endConnection()
    this.#wake()
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0) {
      if (!this.#bus.connected) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      const batch = this.#queue.splice(0, BATCH)
      const results = await Promise.allSettled(
        batch.map(({ topic, payload, retain }) => this.#bus.publish(topic, payload, { retain })),
      )
      const failed = batch.filter((_, index) => results[index]?.status === 'rejected')
      if (!this.#closed) this.#again(failed, results)
    }
    this.#sending = null
  }

  /** A message that fails although the connection works would block those behind it for ever. */
  #again(failed: readonly Message[], results: readonly PromiseSettledResult<void>[]): void {
    this.#failures = failed.length === 0 || !this.#bus.connected ? 0 : this.#failures + 1
    if (this.#failures < ATTEMPTS) {
      this.#queue.unshift(...failed)
      return
    }
    this.#failures = 0
    this.#givenUp += failed.length
    const cause = results.find((result) => result.status === 'rejected')
    this.#logger.error({ topics: failed.map(({ topic }) => topic), err: cause?.reason }, 'messages given up')
  }

  #makeRoom(): void {
    const newer = new Set<string>()
    let victim = 0
    for (let i = this.#queue.length - 1; i >= 0; i--) {
      const message = this.#queue[i]
      if (message?.retain !== true) continue
      if (newer.has(message.topic)) victim = i
      newer.add(message.topic)
    }
    this.#queue.splice(victim, 1)
    this.#givenUp++
  }
}

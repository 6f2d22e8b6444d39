import type { Release } from '../events/event.js'

interface Received {
  /** Resolved when the message is on disk. */
  readonly recorded: Promise<void>
  /** Its identifier is in the log with it. */
  readonly kept: boolean
  /** Set by PUBREL; resolved when the release is on disk. */
  released: Promise<void> | undefined
}

/** QoS 2 messages clients sent and have not released, by packet identifier: a repeated one is recorded once [MQTT-4.3.3-2]. Those of
 * persistent sessions are in the log, and so is their release, so that this holds whatever dies when. */
export class ReceivedMessages {
  readonly #byClient = new Map<string, Map<number, Received>>()
  readonly #append: (release: Release) => Promise<void>

  /** @param received what the log holds of them
   * @param append resolves when the release is on disk */
  constructor(
    received: Iterable<{ readonly client: string; readonly messageId: number }>,
    append: (release: Release) => Promise<void>,
  ) {
    this.#append = append
    for (const { client, messageId } of received) this.add(client, messageId, Promise.resolve(), true)
  }

  /** Recording of the message with this identifier, or undefined when it is new. */
  find(client: string, messageId: number): Promise<void> | undefined {
    return this.#byClient.get(client)?.get(messageId)?.recorded
  }

  count(client: string): number {
    return this.#byClient.get(client)?.size ?? 0
  }

  add(client: string, messageId: number, recorded: Promise<void>, kept: boolean): void {
    let messages = this.#byClient.get(client)
    if (messages === undefined) {
      messages = new Map()
      this.#byClient.set(client, messages)
    }
    messages.set(messageId, { recorded, kept, released: undefined })
  }

  /** The message could not be recorded. */
  remove(client: string, messageId: number): void {
    const messages = this.#byClient.get(client)
    messages?.delete(messageId)
    if (messages?.size === 0) this.#byClient.delete(client)
  }

  /** PUBREL came. Resolves when the identifier is free, also after a restart: the client may use it anew. */
  async release(client: string, messageId: number): Promise<void> {
    const received = this.#byClient.get(client)?.get(messageId)
    if (received === undefined) return
    received.released ??= this.#release(client, messageId, received)
    await received.released
  }

  /** The session is gone: every identifier of the client is free when this resolves. */
  async forget(client: string): Promise<void> {
    const messages = this.#byClient.get(client)
    if (messages === undefined) return
    const all = [...messages.values()]
    // What is under way comes before the release in the log.
    await Promise.allSettled(all.map(({ recorded }) => recorded))
    if (this.#byClient.get(client) === messages) this.#byClient.delete(client)
    if (all.some(({ kept }) => kept)) await this.#append({ client, all: true })
  }

  async #release(client: string, messageId: number, received: Received): Promise<void> {
    await received.recorded
    if (received.kept) await this.#append({ client, messageId })
    if (this.#byClient.get(client)?.get(messageId) === received) this.remove(client, messageId)
  }
}

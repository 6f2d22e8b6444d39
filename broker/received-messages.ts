/** QoS 2 messages a client sent and has not released, by packet identifier: a repeated one is recorded once [MQTT-4.3.3-2]. */
export class ReceivedMessages {
  /** Resolved when the message is on disk. */
  readonly #byClient = new Map<string, Map<number, Promise<void>>>()

  /** Recording of the message with this identifier, or undefined when it is new. */
  find(clientId: string, messageId: number): Promise<void> | undefined {
    return this.#byClient.get(clientId)?.get(messageId)
  }

  count(clientId: string): number {
    return this.#byClient.get(clientId)?.size ?? 0
  }

  add(clientId: string, messageId: number, recorded: Promise<void>): void {
    let messages = this.#byClient.get(clientId)
    if (messages === undefined) {
      messages = new Map()
      this.#byClient.set(clientId, messages)
    }
    messages.set(messageId, recorded)
  }

  /** Whether there was one. */
  remove(clientId: string, messageId: number): boolean {
    const messages = this.#byClient.get(clientId)
    const removed = messages?.delete(messageId) === true
    if (messages?.size === 0) this.#byClient.delete(clientId)
    return removed
  }

  forget(clientId: string): void {
    this.#byClient.delete(clientId)
  }
}

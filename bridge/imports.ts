import { createHash } from 'node:crypto'
import type { PagingEventLogReader } from '../event-log/reader.js'
import type { MessageBus } from '../events/ports.js'
import type { PeerMessage } from './peer-connection.js'
import type { Import, Routes } from './routes.js'

/** Messages that our own broker has not acknowledged; what comes above it is dropped, for an order must not be carried out later. */
const MOST_WAITING = 200
/** Log lines that are remembered, so that one that comes back by way of others is not taken again. */
const REMEMBERED = 10_000

/** Publishes here what the peer tells us: orders, what a leader decides for this unit, profiles, log lines. */
export class Imports {
  readonly #reader: PagingEventLogReader
  readonly #routes: Routes
  readonly #bus: Pick<MessageBus, 'publish' | 'connected'>
  #ours: ReadonlyMap<string, string> = new Map()
  readonly #seen = new Set<string>()
  #waiting = 0

  constructor(reader: PagingEventLogReader, routes: Routes, bus: Pick<MessageBus, 'publish' | 'connected'>) {
    this.#reader = reader
    this.#routes = routes
    this.#bus = bus
  }

  /** Before a connection: what is retained here need not be recorded again when the peer says it at the subscription. */
  begin(): void {
    const ours = this.#routes.keptFilters.flatMap((filter) => this.#reader.retained(filter))
    this.#ours = new Map(ours.map(({ topic, payload }) => [topic, digest(topic, payload)]))
  }

  take(message: PeerMessage): void {
    const found = this.#routes.importOf(message.topic)
    if (found === null || !this.#isWanted(found, message)) return
    // Without a connection it would be kept, and told later.
    if (!this.#bus.connected || this.#waiting >= MOST_WAITING) return
    this.#waiting++
    this.#bus
      .publish(found.topic, message.payload, { retain: found.kind === 'kept' })
      .catch(() => undefined)
      .finally(() => this.#waiting--)
  }

  #isWanted({ topic, kind }: Import, { payload, retain }: PeerMessage): boolean {
    // Retained orders are older than the connection, and would be obeyed again at each.
    if (kind === 'order') return !retain
    const id = digest(topic, payload)
    if (kind === 'kept') return !retain || this.#ours.get(topic) !== id
    if (retain || this.#seen.has(id)) return false
    if (this.#seen.size >= REMEMBERED) this.#seen.clear()
    this.#seen.add(id)
    return true
  }
}

const digest = (topic: string, payload: Uint8Array): string =>
  createHash('sha1').update(topic).update('\0').update(payload).digest('base64')

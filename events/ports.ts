/** What `main.ts` wires: the seams between folders. Implementations live elsewhere. */

import type { NewEvent, ReceivedMessage, RecordedEvent, Release, TextEvent } from './event.js'
import type { TopicTest } from './filter-tree.js'

/** The only source of time. Shared by all processes and scaled by `SIMULATION_SPEED`. */
export interface Clock {
  /** Wall time, only for timestamps in events. */
  now(): Date
  /** Never jumps; for intervals and timeouts. */
  monotonicMs(): number
  /** Resolves when `monotonicMs()` reaches the argument, or at once when `stop` is or becomes aborted. */
  sleepUntil(monotonicMs: number, stop?: AbortSignal): Promise<void>
}

/** The subset of pino that the code uses: fields first, then a constant message. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

export interface EventLogWriter {
  /** Resolves once events and releases are fsynced, in one transaction: the events in the given order and at consecutive positions, the
   * releases as if they came before them. Releases without events take no position; of an identifier that is not held they change
   * nothing. Rejects with `LogUnavailable` when it could not be written, in which case nothing of it was. */
  append(
    events: readonly NewEvent[],
    releases?: readonly Release[],
  ): Promise<{ readonly firstPosition: number; readonly recordedAt: number }>
  close(): Promise<void>
}

export interface ReadOptions {
  /** Exclusive lower bound; 0 reads from the beginning. */
  readonly after: number
  /** At most so many events; a page stays a short read transaction. */
  readonly limit: number
  /** Which topics are wanted, from `compileFilters`. Without it all are. */
  readonly match?: TopicTest
  /** Inclusive bounds of `recorded_at`, ms UTC. */
  readonly from?: number
  readonly to?: number
}

export interface EventLogReader {
  /** 0 for an empty log. */
  lastPosition(): number
  read(options: ReadOptions): RecordedEvent[]
  /** The events of `read`, payloads as text, at half the price. The text is there until the reader is closed. */
  readText(options: ReadOptions): TextEvent[]
  /** The last retained, non-empty event of every topic that matches, by position. */
  retained(filter: string): RecordedEvent[]
  /** The QoS 2 messages that are recorded and not yet released, by position. */
  received(): ReceivedMessage[]
  close(): void
}

export interface BusMessage {
  readonly topic: string
  readonly payload: Buffer
  /** True for a retained value delivered at subscription time. */
  readonly retain: boolean
}

export interface PublishOptions {
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}

/** One MQTT connection. */
export interface MessageBus {
  readonly connected: boolean
  /** Resolves when the broker acknowledged, that is when the event is on disk; rejects when the connection is closed for good, or at
   * once when the message is longer than the broker takes. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<void>
  /** Resolves with an unsubscribe function when the broker granted the subscription. A handler that throws is logged, not fatal. */
  subscribe(filter: string, handler: (message: BusMessage) => void): Promise<() => Promise<void>>
  /** Called with the present state first, then on every change. Returns the function that ends it. */
  onConnection(listener: (connected: boolean) => void): () => void
  /** Ends the connection cleanly (no will). */
  close(): Promise<void>
}

import { type NewEvent, payloadText, type RecordedEvent, type TextEvent } from '../../events/event.js'
import type { EventLogReader, ReadOptions } from '../../events/ports.js'
import { matchesFilter } from '../../events/topic.js'

/** What a test says of an event; the rest has defaults. An object payload becomes JSON. */
export interface TestEvent {
  readonly topic: string
  readonly payload?: string | Uint8Array | object
  readonly retain?: boolean
  readonly recordedAt?: number
}

export const TEST_EPOCH_MS = Date.parse('2026-11-20T09:00:00.000Z')

export function newEvent({ topic, payload = '', retain = true }: TestEvent): NewEvent {
  const bytes =
    payload instanceof Uint8Array
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  return { topic, payload: bytes, qos: 1, retain, client: 'test' }
}

/** An event log in memory; recorded one second apart unless told otherwise. */
export class MemoryLog implements EventLogReader {
  readonly events: RecordedEvent[] = []

  constructor(events: readonly TestEvent[] = []) {
    this.append(...events)
  }

  append(...events: readonly TestEvent[]): number {
    for (const event of events) {
      const position = this.events.length + 1
      const recordedAt = event.recordedAt ?? TEST_EPOCH_MS + position * 1000
      this.events.push({ ...newEvent(event), position, recordedAt })
    }
    return this.events.length
  }

  lastPosition(): number {
    return this.events.length
  }

  read({ after, limit, match, from, to }: ReadOptions): RecordedEvent[] {
    const found: RecordedEvent[] = []
    for (let index = after; index < this.events.length && found.length < limit; index++) {
      const event = this.events[index]
      if (event === undefined) break
      if (match?.(event.topic) === false) continue
      if (from !== undefined && event.recordedAt < from) continue
      if (to !== undefined && event.recordedAt > to) continue
      found.push(event)
    }
    return found
  }

  readText(options: ReadOptions): TextEvent[] {
    return this.read(options).map((event) => ({ ...event, text: payloadText(event) }))
  }

  retained(filter: string): RecordedEvent[] {
    const last = new Map<string, RecordedEvent>()
    for (const event of this.events) {
      if (!event.retain || !matchesFilter(filter, event.topic)) continue
      if (event.payload.length === 0) last.delete(event.topic)
      else last.set(event.topic, event)
    }
    return [...last.values()].sort((a, b) => a.position - b.position)
  }

  received(): [] {
    return []
  }

  close(): void {
    this.events.length = 0
  }
}

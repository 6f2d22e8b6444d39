import type { NewEvent, RecordedEvent, Release } from '../events/event.js'
import type { EventLogWriter } from '../events/ports.js'

type Settle = (error?: Error) => void

interface PendingRelease {
  readonly release: Release
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Written out: spreading the event costs a tenth of what publishing it does. */
const recorded = (
  { topic, payload, qos, retain, client }: NewEvent,
  position: number,
  recordedAt: number,
): RecordedEvent => ({ position, recordedAt, topic, payload, qos, retain, client })

/** Where recorded events go, in the order of the log. */
export interface RecordedDeliveries {
  deliver(event: RecordedEvent): void
  /** Ends a turn. */
  flush(): void
}

/** Record, deliver in log order, then acknowledge. What one turn brings is one append; appends are settled in their order, so
 * deliveries are too. */
export class Recorder {
  readonly #log: EventLogWriter
  readonly #deliveries: RecordedDeliveries
  readonly #unsettled: (event: NewEvent, error: unknown) => void
  #events: NewEvent[] = []
  /** Of each event. */
  #settles: Settle[] = []
  #releases: PendingRelease[] = []
  /** Appends under way. */
  #open = 0
  #onIdle: (() => void) | undefined

  /** @param unsettled called with what a `settle` has thrown; the others are settled all the same */
  constructor(
    log: EventLogWriter,
    deliveries: RecordedDeliveries,
    unsettled: (event: NewEvent, error: unknown) => void,
  ) {
    this.#log = log
    this.#deliveries = deliveries
    this.#unsettled = unsettled
  }

  /** Calls `settle` when the event is on disk and delivered, or with the reason why it could not be recorded. */
  record(event: NewEvent, settle: Settle): void {
    this.#schedule()
    this.#events.push(event)
    this.#settles.push(settle)
  }

  /** Resolves when the release of a received message is on disk. It counts as before the events of the same turn. */
  release(release: Release): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#schedule()
      this.#releases.push({ release, resolve, reject })
    })
  }

  /** Resolves when everything recorded so far is settled. */
  async idle(): Promise<void> {
    await Promise.resolve()
    while (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
  }

  #settleAll(events: readonly NewEvent[], settles: readonly Settle[], reason?: Error): void {
    for (const [index, event] of events.entries()) {
      try {
        settles[index]?.(reason)
      } catch (error) {
        this.#unsettled(event, error)
      }
    }
  }

  #schedule(): void {
    if (this.#events.length === 0 && this.#releases.length === 0) queueMicrotask(() => this.#append())
  }

  #append(): void {
    const events = this.#events
    const settles = this.#settles
    const releases = this.#releases
    this.#events = []
    this.#settles = []
    this.#releases = []
    this.#open++
    this.#log
      .append(
        events,
        releases.map(({ release }) => release),
      )
      .then(
        ({ firstPosition, recordedAt }) => {
          let position = firstPosition
          for (const event of events) this.#deliveries.deliver(recorded(event, position++, recordedAt))
          this.#deliveries.flush()
          this.#settleAll(events, settles)
          for (const { resolve } of releases) resolve()
        },
        (error: Error) => {
          this.#settleAll(events, settles, error)
          for (const { reject } of releases) reject(error)
        },
      )
      .finally(() => {
        this.#open--
        if (this.#open === 0) this.#onIdle?.()
      })
  }
}

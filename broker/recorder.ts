import type { NewEvent, RecordedEvent, Release } from '../events/event.js'
import type { EventLogWriter } from '../events/ports.js'

interface Pending {
  readonly event: NewEvent
  readonly settle: (error?: Error) => void
}

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

/** Record, deliver in log order, then acknowledge. What one turn brings is one append; appends are settled in their order, so
 * deliveries are too. */
export class Recorder {
  readonly #log: EventLogWriter
  readonly #deliver: (events: readonly RecordedEvent[]) => void
  readonly #unsettled: (event: NewEvent, error: unknown) => void
  #pending: Pending[] = []
  #releases: PendingRelease[] = []
  /** Appends under way. */
  #open = 0
  #onIdle: (() => void) | undefined

  /** @param unsettled called with what a `settle` has thrown; the others are settled all the same */
  constructor(
    log: EventLogWriter,
    deliver: (events: readonly RecordedEvent[]) => void,
    unsettled: (event: NewEvent, error: unknown) => void,
  ) {
    this.#log = log
    this.#deliver = deliver
    this.#unsettled = unsettled
  }

  /** Calls `settle` when the event is on disk and delivered, or with the reason why it could not be recorded. */
  record(event: NewEvent, settle: (error?: Error) => void): void {
    this.#schedule()
    this.#pending.push({ event, settle })
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

  #settle({ event, settle }: Pending, reason?: Error): void {
    try {
      settle(reason)
    } catch (error) {
      this.#unsettled(event, error)
    }
  }

  #schedule(): void {
    if (this.#pending.length === 0 && this.#releases.length === 0) queueMicrotask(() => this.#append())
  }

  #append(): void {
    const batch = this.#pending
    const releases = this.#releases
    this.#pending = []
    this.#releases = []
    this.#open++
    this.#log
      .append(
        batch.map(({ event }) => event),
        releases.map(({ release }) => release),
      )
      .then(
        ({ firstPosition, recordedAt }) => {
          this.#deliver(batch.map(({ event }, index) => recorded(event, firstPosition + index, recordedAt)))
          for (const pending of batch) this.#settle(pending)
          for (const { resolve } of releases) resolve()
        },
        (error: Error) => {
          for (const pending of batch) this.#settle(pending, error)
          for (const { reject } of releases) reject(error)
        },
      )
      .finally(() => {
        this.#open--
        if (this.#open === 0) this.#onIdle?.()
      })
  }
}

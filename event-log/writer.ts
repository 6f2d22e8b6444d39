// Longer than 300 lines: batches, their commit and what waits during a full disk are one order of events.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LabError } from '../events/core/errors.js'
import { timestampOf } from '../events/core/timestamp.js'
import type { NewEvent, Release } from '../events/event.js'
import type { Clock, EventLogWriter, Logger } from '../events/ports.js'
import { LogUnavailable } from '../events/system/errors.js'
import type { LogStatus } from '../events/system/log-status.js'
import { type Appended, packBatch } from './batch.js'
import { openWriterThread, type StartThread, startWriterThread, type WriterThread } from './writer-thread.js'
import type { FromWriter, ToWriter, WriterWorkerData } from './writer-worker.js'

export interface EventLogWriterOptions {
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  /** Called with the state at opening, then whenever the log becomes writable or stops being so. */
  readonly onStatus?: (status: LogStatus) => void
  /** Bytes of events that may wait for the disk before `append` refuses. */
  readonly waitingBytes?: number
  /** Size limit of the file in pages of 1024 bytes: lets a test fill the disk. */
  readonly maxPages?: number
  /** How the thread is started: lets a test end it. */
  readonly startThread?: StartThread
}

/** The writer as the process that owns it sees it. */
export interface OwnedEventLogWriter extends EventLogWriter {
  status(): LogStatus
  /** Called with the present status first, then on every change. Returns the function that ends it. */
  onStatus(listener: (status: LogStatus) => void): () => void
  /** Changes the size limit of the file: lets a test make room again. */
  limitPages(maxPages: number): void
}

interface Append extends Appended {
  readonly bytes: number
  readonly resolve: (at: { readonly firstPosition: number; readonly recordedAt: number }) => void
  readonly reject: (error: LabError) => void
}

/** What waits during a full disk: some minutes of a busy bench. */
const WAITING_BYTES = 64 * 1024 * 1024
/** One transaction: small enough that a commit, and the loop that delivers it, stays short. */
const BATCH_EVENTS = 2048
const BATCH_BYTES = 4 * 1024 * 1024
/** Rows, strings and bookkeeping of one waiting event, on top of its payload. */
const EVENT_OVERHEAD_BYTES = 200
const RETRY_MS = 500

const bytesOf = ({ events, releases }: Appended): number => {
  let bytes = EVENT_OVERHEAD_BYTES * releases.length
  for (const { topic, payload } of events) bytes += EVENT_OVERHEAD_BYTES + topic.length + payload.length
  return bytes
}

/** Opens the log, making it when there is none. Commits run on a worker thread: one transaction is in flight, and the next
 * holds all that arrived meanwhile. While the disk refuses, nothing is acknowledged; the waiting appends are tried again every
 * 500 ms. A thread that dies is replaced, and the log itself shows whether its last transaction was committed. After each commit the
 * last position is posted on the channel `COMMIT_CHANNEL`.
 * A log of an older version is upgraded first. Once it is open its files are watched: what is committed is acknowledged only while they
 * are where the next start will find them.
 * @throws ForeignLog, LogDamaged, LogNotUpgraded, LogUnavailable */
export async function openEventLogWriter(options: EventLogWriterOptions): Promise<OwnedEventLogWriter> {
  const { path, maxPages, logger, startThread = startWriterThread } = options
  mkdirSync(dirname(path), { recursive: true })
  const open = (mustExist: boolean): Promise<WriterThread> => {
    const workerData: WriterWorkerData = { path, mustExist, ...(maxPages === undefined ? {} : { maxPages }) }
    return openWriterThread(startThread, workerData, (progress) => logger.info(progress, 'upgrading the event log'))
  }
  return new GroupCommit(await open(false), () => open(true), options)
}

class GroupCommit implements OwnedEventLogWriter {
  readonly #open: () => Promise<WriterThread>
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #budget: number
  readonly #listeners = new Set<(status: LogStatus) => void>()
  readonly #closing = new AbortController()
  /** Null between the death of one and the opening of the next. */
  #thread: WriterThread | null = null
  #replacing: Promise<void> = Promise.resolve()
  #position: number
  #waiting: Append[] = []
  #inFlight: readonly Append[] = []
  /** Bytes waiting and in flight. */
  #bytes = 0
  #recordedAt = 0
  /** Why the log cannot be written; null while it can. */
  #reason: string | null = null
  #closed: Promise<void> | undefined
  /** Set by `close`: called when nothing is left to commit, or nothing can be. */
  #onIdle: (() => void) | undefined

  constructor(
    thread: WriterThread,
    open: () => Promise<WriterThread>,
    { clock, logger, onStatus, waitingBytes }: EventLogWriterOptions,
  ) {
    this.#open = open
    this.#clock = clock
    this.#logger = logger
    this.#budget = waitingBytes ?? WAITING_BYTES
    this.#position = thread.position
    this.#use(thread)
    if (onStatus !== undefined) this.onStatus(onStatus)
  }

  #use(thread: WriterThread): void {
    this.#thread = thread
    thread.onMessage((message) => this.#answered(message))
    void thread.ended.then((reason) => {
      this.#thread = null
      if (!this.#closing.signal.aborted) this.#replacing = this.#replace(reason)
    })
  }

  append(events: readonly NewEvent[], releases: readonly Release[] = []): ReturnType<EventLogWriter['append']> {
    const bytes = bytesOf({ events, releases })
    return new Promise((resolve, reject) => {
      if (this.#closing.signal.aborted) {
        reject(new LogUnavailable('The event log is closed.'))
        return
      }
      if (this.#bytes > 0 && this.#bytes + bytes > this.#budget) {
        reject(
          new LogUnavailable(
            `${this.#bytes} bytes of events already wait for the disk; the limit is ${this.#budget} bytes.`,
            { details: { waiting_bytes: this.#bytes, limit_bytes: this.#budget, reason: this.#reason } },
          ),
        )
        return
      }
      this.#bytes += bytes
      this.#waiting.push({ events, releases, bytes, resolve, reject })
      this.#pump()
    })
  }

  status(): LogStatus {
    return {
      writable: this.#reason === null,
      position: this.#position,
      reason: this.#reason,
      timestamp: timestampOf(this.#clock.now()),
    }
  }

  onStatus(listener: (status: LogStatus) => void): () => void {
    this.#listeners.add(listener)
    listener(this.status())
    return () => this.#listeners.delete(listener)
  }

  limitPages(maxPages: number): void {
    this.#tell({ kind: 'limit', maxPages })
  }

  /** Commits what waits when the log can be written, refuses it otherwise, and ends the thread. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#reason === null && this.#inFlight.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.#closing.abort()
    this.#refuseAll('The event log was closed.')
    await this.#replacing
    const thread = this.#thread
    thread?.tell({ kind: 'close' })
    await thread?.ended
  }

  #tell(message: ToWriter): void {
    this.#thread?.tell(message)
  }

  #pump(): void {
    if (this.#inFlight.length > 0) return
    if (this.#waiting.length === 0) {
      this.#onIdle?.()
      return
    }
    this.#inFlight = this.#takeBatch()
    this.#commit()
  }

  #takeBatch(): readonly Append[] {
    let events = 0
    let bytes = 0
    let count = 0
    for (const append of this.#waiting) {
      events += append.events.length + append.releases.length
      bytes += append.bytes
      if (count > 0 && (events > BATCH_EVENTS || bytes > BATCH_BYTES)) break
      count++
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting
      this.#waiting = []
      return all
    }
    return this.#waiting.splice(0, count)
  }

  #commit(): void {
    this.#recordedAt = this.#clock.now().getTime()
    this.#tell({ kind: 'append', batch: packBatch(this.#inFlight, this.#recordedAt) })
  }

  #answered(message: FromWriter): void {
    if (message.kind === 'committed') this.#committed(message.firstPosition)
    if (message.kind === 'failed') this.#failed(message.reason)
    if (message.kind === 'displaced') this.#displaced(message.reason)
    // What is in flight is answered next.
    if (message.kind === 'restored' && this.#inFlight.length === 0) this.#setReason(null)
  }

  #committed(firstPosition: number): void {
    const committed = this.#inFlight
    const recordedAt = this.#recordedAt
    this.#inFlight = []
    let position = firstPosition
    for (const { events, bytes } of committed) {
      position += events.length
      this.#bytes -= bytes
    }
    this.#position = position - 1
    // The next transaction starts before this one's events are delivered: the disk and this thread work side by side.
    this.#pump()
    this.#setReason(null)
    position = firstPosition
    for (const { events, resolve } of committed) {
      resolve({ firstPosition: position, recordedAt })
      position += events.length
    }
  }

  #failed(reason: string): void {
    this.#setReason(reason)
    this.#onIdle?.()
    const thread = this.#thread
    void this.#retryTime().then(() => {
      // Another thread has its orders.
      if (!this.#closing.signal.aborted && this.#thread === thread) this.#commit()
    })
  }

  /** The thread goes on trying. */
  #displaced(reason: string): void {
    this.#setReason(reason)
    this.#onIdle?.()
  }

  #retryTime(): Promise<void> {
    return this.#clock.sleepUntil(this.#clock.monotonicMs() + RETRY_MS, this.#closing.signal)
  }

  async #replace(reason: string): Promise<void> {
    this.#setReason(reason)
    this.#onIdle?.()
    while (!this.#closing.signal.aborted) {
      await this.#retryTime()
      try {
        const thread = await this.#open()
        if (thread.position < this.#position) {
          thread.tell({ kind: 'close' })
          throw new Error(`it ends at position ${thread.position}, and ${this.#position} were acknowledged`)
        }
        this.#use(thread)
        this.#goOn(thread.position)
        return
      } catch (error) {
        this.#setReason(error instanceof Error ? error.message : String(error))
      }
    }
  }

  /** @param position where the log ends: behind the transaction in flight when that was committed. One of releases alone does not tell,
   * and may be committed twice. */
  #goOn(position: number): void {
    const events = this.#inFlight.reduce((count, append) => count + append.events.length, 0)
    if (this.#inFlight.length === 0) this.#setReason(null)
    else if (events > 0 && position === this.#position + events) this.#committed(this.#position + 1)
    else this.#commit()
  }

  #refuseAll(message: string): void {
    const refused = [...this.#inFlight, ...this.#waiting]
    this.#inFlight = []
    this.#waiting = []
    this.#bytes = 0
    for (const { reject } of refused) reject(new LogUnavailable(message))
  }

  #setReason(reason: string | null): void {
    if (reason === this.#reason) return
    this.#reason = reason
    if (reason === null) this.#logger.info({ position: this.#position }, 'event log can be written again')
    else this.#logger.error({ position: this.#position, reason }, 'event log cannot be written')
    const status = this.status()
    for (const listener of this.#listeners) listener(status)
  }
}

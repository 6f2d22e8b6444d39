import { toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { UploadRecord } from '../../events/nas/nas.js'
import type { Clock, Logger } from '../../events/ports.js'

export interface QueueDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Resolves when the record is on disk. */
  readonly publish: (record: UploadRecord) => Promise<void>
  /** Copies a run to the share; what it throws is the reason of the failure. */
  readonly upload: (runId: string, stop: AbortSignal) => Promise<void>
  /** Told how each attempt ended: null is success. */
  readonly onEnd: (runId: string, reason: string | null) => Promise<void>
}

const MINUTE_MS = 60_000
const RETRY_MINUTES = [1, 5, 30]
const LATER_MINUTES = 60

/** Wait after so many failed attempts. */
export const retryDelayMs = (attempts: number): number => (RETRY_MINUTES[attempts - 1] ?? LATER_MINUTES) * MINUTE_MS

/** Uploads runs one after the other and tries failed ones again. The published records are its memory: what `adopt` is given after
 * a restart goes on where it stopped. */
export class UploadQueue {
  readonly #deps: QueueDeps
  readonly #records = new Map<string, UploadRecord>()
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #paused = false
  #work: Promise<void> = Promise.resolve()

  constructor(deps: QueueDeps) {
    this.#deps = deps
  }

  /** Takes over a record of an earlier life; a newer one of this life wins. */
  adopt(record: UploadRecord): void {
    if (!this.#records.has(record.run_id)) this.#records.set(record.run_id, record)
  }

  start(): void {
    this.#work = this.#run()
  }

  record(runId: string): UploadRecord | null {
    return this.#records.get(runId) ?? null
  }

  /** Whether the run is uploaded now or will be. */
  isPending(runId: string): boolean {
    const record = this.record(runId)
    return record !== null && dueAt(record) !== null
  }

  /** Queues a run. @returns false when it is being uploaded at this moment. */
  async enqueue(runId: string): Promise<boolean> {
    if (this.record(runId)?.status === 'uploading') return false
    await this.#put({ run_id: runId, status: 'queued', attempts: 0, next_attempt_at: null, reason: null })
    this.#wake.abort()
    return true
  }

  /** What kept failed uploads from working may be gone: they are tried again now. */
  retryFailed(): void {
    const now = timestampOf(this.#deps.clock.now())
    for (const record of this.#records.values()) {
      if (record.next_attempt_at !== null) this.#records.set(record.run_id, { ...record, next_attempt_at: now })
    }
    this.#wake.abort()
  }

  /** Nothing more is known of the run. */
  forget(runId: string): void {
    this.#records.delete(runId)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#wake.abort()
  }

  /** Breaks an upload off; it is the first to go on after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#work
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#deps
    const stop = this.#stop.signal
    while (!stop.aborted) {
      this.#wake = new AbortController()
      const next = this.#paused ? null : this.#next()
      const waitMs = next === null ? Number.POSITIVE_INFINITY : next.due - clock.now().getTime()
      if (next === null || waitMs > 0) {
        await clock.sleepUntil(clock.monotonicMs() + waitMs, AbortSignal.any([stop, this.#wake.signal]))
        continue
      }
      await this.#attempt(next.record).catch((error: unknown) => {
        if (stop.aborted) return
        logger.error({ run: next.record.run_id, err: error }, 'upload state could not be kept')
        // Not at once again: whatever kept it from being written is still there.
        this.#postpone(next.record)
      })
    }
  }

  #next(): { readonly record: UploadRecord; readonly due: number } | null {
    let first: { readonly record: UploadRecord; readonly due: number } | null = null
    for (const record of this.#records.values()) {
      const due = dueAt(record)
      if (due !== null && (first === null || due < first.due)) first = { record, due }
    }
    return first
  }

  async #attempt({ run_id, attempts }: UploadRecord): Promise<void> {
    const { clock, logger, upload, onEnd } = this.#deps
    const stop = this.#stop.signal
    await this.#put({ run_id, status: 'uploading', attempts, next_attempt_at: null, reason: null })
    let reason: string | null = null
    try {
      await upload(run_id, stop)
    } catch (error) {
      if (stop.aborted) return
      reason = toErrorRecord(error).message
      logger.warn({ run: run_id, attempts: attempts + 1, err: error }, 'upload failed')
    }
    await onEnd(run_id, reason)
    const ended = { run_id, attempts: attempts + 1, reason }
    if (reason === null) {
      logger.info({ run: run_id }, 'run uploaded')
      await this.#put({ ...ended, status: 'done', next_attempt_at: null })
      return
    }
    const next = new Date(clock.now().getTime() + retryDelayMs(attempts + 1))
    await this.#put({ ...ended, status: 'failed', next_attempt_at: timestampOf(next) })
  }

  #postpone({ run_id, attempts }: UploadRecord): void {
    const now = this.#deps.clock.now()
    this.#records.set(run_id, {
      run_id,
      status: 'failed',
      attempts: attempts + 1,
      next_attempt_at: timestampOf(new Date(now.getTime() + retryDelayMs(attempts + 1))),
      reason: null,
      timestamp: timestampOf(now),
    })
  }

  async #put(record: Omit<UploadRecord, 'timestamp'>): Promise<void> {
    const stamped = { ...record, timestamp: timestampOf(this.#deps.clock.now()) }
    this.#records.set(record.run_id, stamped)
    await this.#deps.publish(stamped)
  }
}

/** When the run's turn comes, ms UTC; null when it has none. An upload that a restart broke off is due at once. */
function dueAt({ status, next_attempt_at, timestamp }: UploadRecord): number | null {
  if (status === 'queued' || status === 'uploading') return Date.parse(timestamp)
  return next_attempt_at === null ? null : Date.parse(next_attempt_at)
}

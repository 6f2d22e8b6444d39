import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { type ErrorRecord, LabError, toErrorRecord } from '../events/core/errors.js'
import { LogUnavailable } from '../events/system/errors.js'
import type { Batch } from './batch.js'
import { COMMIT_CHANNEL } from './commit-channel.js'
import { namedDamage } from './damage.js'
import { LogStore } from './log-store.js'
import type { UpgradeProgress } from './upgrade.js'

/** Owns the only writing connection. One message is one transaction; the answer comes after its fsync. */

export interface WriterWorkerData {
  readonly path: string
  /** A log was open there: a new one must not begin. */
  readonly mustExist: boolean
  /** Upper limit of the file in pages of 1024 bytes; a full disk for tests. */
  readonly maxPages?: number
}

export type ToWriter =
  | { readonly kind: 'append'; readonly batch: Batch }
  | { readonly kind: 'limit'; readonly maxPages: number }
  | { readonly kind: 'close' }

export type FromWriter =
  | { readonly kind: 'upgrading'; readonly progress: UpgradeProgress }
  | { readonly kind: 'opened'; readonly position: number }
  | { readonly kind: 'refused'; readonly error: ErrorRecord }
  | { readonly kind: 'committed'; readonly firstPosition: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The log's files are not where they were; what is in flight is answered when they are again. */
  | { readonly kind: 'displaced'; readonly reason: string }
  | { readonly kind: 'restored' }

type Port = NonNullable<typeof parentPort>

/** The files are looked at after each commit, and so often while there is none. */
const WATCH_MS = 250

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

class WriterThread {
  readonly #port: Port
  readonly #path: string
  readonly #store: LogStore
  readonly #commits = new BroadcastChannel(COMMIT_CHANNEL)
  readonly #watch: NodeJS.Timeout
  /** Committed, and to be reported once its file is where the next start will find it. */
  #unanswered: number | undefined
  /** Came while the files were elsewhere. */
  #held: Batch | undefined
  #displaced: string | null = null
  /** Where the open log was copied to when another file had taken its place. */
  #saved: string | undefined

  constructor(port: Port, { path, mustExist, maxPages }: WriterWorkerData) {
    this.#port = port
    this.#path = path
    this.#store = new LogStore(path, {
      mustExist,
      onUpgrade: (progress) => this.#tell({ kind: 'upgrading', progress }),
    })
    if (maxPages !== undefined) this.#store.limitPages(maxPages)
    this.#watch = setInterval(() => this.#answerIfInPlace(), WATCH_MS)
    port.on('message', (message: ToWriter) => this.#take(message))
    this.#tell({ kind: 'opened', position: this.#store.position })
  }

  #tell(message: FromWriter): void {
    this.#port.postMessage(message)
  }

  #take(message: ToWriter): void {
    switch (message.kind) {
      case 'append':
        if (this.#displaced === null) this.#commit(message.batch)
        else this.#held = message.batch
        break
      case 'limit':
        this.#store.limitPages(message.maxPages)
        break
      case 'close':
        this.#close()
    }
  }

  #commit(batch: Batch): void {
    const before = this.#store.position
    try {
      this.#store.commit(batch)
    } catch (error) {
      this.#tell({ kind: 'failed', reason: textOf(error) })
      return
    }
    this.#unanswered = before + 1
    this.#answerIfInPlace()
  }

  #answerIfInPlace(): void {
    if (!this.#isInPlace()) return
    if (this.#unanswered !== undefined) {
      this.#tell({ kind: 'committed', firstPosition: this.#unanswered })
      this.#commits.postMessage(this.#store.position)
      this.#unanswered = undefined
    }
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#commit(held)
  }

  /** Whether the next start will find what was committed. A log that lost its name gets it back; a file that has taken its place is left
   * there, no matter which process put it there. */
  #isInPlace(): boolean {
    const change = this.#store.change()
    if (change === null) {
      this.#back()
      return true
    }
    try {
      if (change === 'removed') {
        this.#displace(`${this.#path} was removed; it is written anew from the open file`)
        this.#store.restore()
        this.#back()
        return true
      }
      this.#saved ??= this.#store.save()
      this.#displace(
        `${this.#path} was replaced by another file; what was recorded is in ${this.#saved}. Stop the unit, leave the log you want under the old name, and start again`,
      )
    } catch (error) {
      this.#displace(`${this.#path} was ${change}, and cannot be written anew: ${textOf(error)}`)
    }
    return false
  }

  #displace(reason: string): void {
    if (reason !== this.#displaced) this.#tell({ kind: 'displaced', reason })
    this.#displaced = reason
  }

  #back(): void {
    if (this.#displaced !== null) this.#tell({ kind: 'restored' })
    this.#displaced = null
  }

  #close(): void {
    this.#isInPlace()
    clearInterval(this.#watch)
    this.#commits.close()
    this.#store.close()
    this.#port.close()
  }
}

function refusal(path: string, error: unknown): FromWriter {
  const known = namedDamage(path, error)
  return {
    kind: 'refused',
    error: toErrorRecord(known instanceof LabError ? known : new LogUnavailable(textOf(known))),
  }
}

if (parentPort !== null) {
  const data = workerData as WriterWorkerData
  try {
    new WriterThread(parentPort, data)
  } catch (error) {
    parentPort.postMessage(refusal(data.path, error))
    parentPort.close()
  }
}

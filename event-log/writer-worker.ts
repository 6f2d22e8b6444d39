import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { LabError } from '../events/errors.js'
import { type Batch, unpackBatch } from './batch.js'
import { COMMIT_CHANNEL } from './commit-channel.js'
import { openForWriting } from './database.js'
import { LogState } from './log-state.js'
import { openRecorded } from './recorded-table.js'

/** Owns the only writing connection. One message is one transaction; the answer comes after its fsync. */

export interface WriterWorkerData {
  readonly path: string
  /** Upper limit of the file in pages of 1024 bytes; a full disk for tests. */
  readonly maxPages?: number
}

export type ToWriter =
  | { readonly kind: 'append'; readonly batch: Batch }
  | { readonly kind: 'limit'; readonly maxPages: number }
  | { readonly kind: 'close' }

export type FromWriter =
  | { readonly kind: 'opened'; readonly position: number }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly message: string
      readonly remediation: string | undefined
    }
  | { readonly kind: 'committed'; readonly firstPosition: number }
  | { readonly kind: 'failed'; readonly reason: string }

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function serve(port: NonNullable<typeof parentPort>, { path, maxPages }: WriterWorkerData): void {
  const tell = (message: FromWriter): void => port.postMessage(message)
  const db = openForWriting(path)
  const limitPages = (pages: number): unknown => db.pragma(`max_page_count = ${pages}`)
  if (maxPages !== undefined) limitPages(maxPages)
  const recorded = openRecorded(db)
  let position = recorded.lastPosition()
  /** Undefined after a rollback: what it took up was not committed. */
  let state: LogState | undefined = db.transaction(() => new LogState(db))()

  const write = db.transaction((batch: Batch): number => {
    state ??= new LogState(db)
    const events = [...unpackBatch(batch)]
    const last = recorded.insert(events, batch.recordedAt, position)
    state.take(batch, events)
    return last
  })

  const channel = new BroadcastChannel(COMMIT_CHANNEL)
  port.on('message', (message: ToWriter) => {
    switch (message.kind) {
      case 'append':
        try {
          const last = write.immediate(message.batch)
          tell({ kind: 'committed', firstPosition: position + 1 })
          position = last
          channel.postMessage(position)
        } catch (error) {
          state = undefined
          tell({ kind: 'failed', reason: textOf(error) })
        }
        break
      case 'limit':
        limitPages(message.maxPages)
        break
      case 'close':
        channel.close()
        db.close()
        port.close()
    }
  })
  tell({ kind: 'opened', position })
}

if (parentPort !== null) {
  try {
    serve(parentPort, workerData as WriterWorkerData)
  } catch (error) {
    const known = error instanceof LabError
    const refused: FromWriter = {
      kind: 'refused',
      code: known ? error.code : 'log.unavailable',
      message: textOf(error),
      remediation: known ? error.remediation : undefined,
    }
    parentPort.postMessage(refused)
    parentPort.close()
  }
}

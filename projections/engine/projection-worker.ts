import { parentPort } from 'node:worker_threads'
import { type ErrorRecord, LabError, toErrorRecord } from '../../events/core/errors.js'
import { followLog } from './follow-log.js'
import { type Follower, RenewedFollower } from './renewed-follower.js'

/** What a projection worker reports to the thread that started it. */
export type WorkerReport =
  /** Everything is handled: for the first time, or after a failure. */
  | { readonly kind: 'caught_up'; readonly position: number }
  /** Now and then on the way there. */
  | { readonly kind: 'catching_up'; readonly position: number }
  /** The database is made anew from the log. */
  | { readonly kind: 'renewed'; readonly reason: string }
  /** It is tried again. `error` is null for a defect. */
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly stack: string | undefined
      readonly error: ErrorRecord | null
    }
/** The orders it takes. */
export type WorkerOrder = 'stop'

export interface FollowerOptions {
  /** The derived database. */
  readonly path: string
  /** Opens it, making it when there is none, with what writes it. */
  readonly open: (path: string) => Follower
  readonly paceMs?: number
  /** Called at the end. */
  readonly close: () => void
}

/** Events handled between two reports on the way: some seconds of work. */
const REPORT_EVENTS = 500_000

/** Body of a worker thread that follows the log: reports when it has caught up, and failures; ends on order. */
export async function followAsWorker({ path, open, close, ...rest }: FollowerOptions): Promise<void> {
  const stop = new AbortController()
  const report = (message: WorkerReport): void => parentPort?.postMessage(message)
  parentPort?.on('message', (order: WorkerOrder) => {
    if (order === 'stop') stop.abort()
  })
  const follower = new RenewedFollower(path, open, (reason) =>
    report({ kind: 'renewed', reason: `${path}: ${reason}` }),
  )
  let announced = false
  let unreported = 0
  let lastFailure = ''
  const onError = (error: unknown): void => {
    const failure = failureOf(error)
    // What keeps failing for the same reason, such as a full disk, is reported once.
    if (failure.message !== lastFailure) report(failure)
    lastFailure = failure.message
    announced = false
  }
  await followLog({
    ...rest,
    async step() {
      const handled = await follower.step()
      unreported += handled
      if (!announced && unreported >= REPORT_EVENTS) {
        report({ kind: 'catching_up', position: follower.position() })
        unreported = 0
      }
      return handled
    },
    stop: stop.signal,
    onError,
    async onCaughtUp() {
      await follower.onCaughtUp(onError)
      if (!announced) report({ kind: 'caught_up', position: follower.position() })
      lastFailure = ''
      announced = true
    },
  })
  await follower.close()
  close()
  parentPort?.close()
}

function failureOf(error: unknown): Extract<WorkerReport, { kind: 'failed' }> {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'failed', message, stack, error: error instanceof LabError ? toErrorRecord(error) : null }
}

import { parentPort } from 'node:worker_threads'
import { type FollowOptions, followLog } from './follow-log.js'

/** What a projection worker tells the thread that started it. */
export type WorkerReport =
  | { readonly kind: 'caught_up'; readonly position: number }
  /** Now and then on the way there. */
  | { readonly kind: 'catching_up'; readonly position: number }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined }
/** What it is told. */
export type WorkerOrder = 'stop'

export interface FollowerParts {
  readonly step: FollowOptions['step']
  /** Called each time everything is handled; may start what waits for that. */
  readonly onCaughtUp?: () => void | Promise<void>
  readonly position: () => number
  readonly paceMs?: number
  readonly close: () => void | Promise<void>
}

/** Events handled between two reports on the way: some seconds of work. */
const REPORT_EVENTS = 500_000

/** Body of a worker thread that follows the log: reports the first time it has caught up, and failures; ends when told to. */
export async function followAsWorker({ step, onCaughtUp, position, close, ...rest }: FollowerParts): Promise<void> {
  const stop = new AbortController()
  const report = (message: WorkerReport): void => parentPort?.postMessage(message)
  parentPort?.on('message', (order: WorkerOrder) => {
    if (order === 'stop') stop.abort()
  })
  let announced = false
  let unreported = 0
  let lastFailure = ''
  const onError = (error: unknown): void => {
    const failure = failureOf(error)
    // What keeps failing for the same reason, such as a full disk, is told once.
    if (failure.message !== lastFailure) report(failure)
    lastFailure = failure.message
  }
  await followLog({
    ...rest,
    step() {
      const handled = step()
      unreported += handled
      if (!announced && unreported >= REPORT_EVENTS) {
        report({ kind: 'catching_up', position: position() })
        unreported = 0
      }
      return handled
    },
    stop: stop.signal,
    onError,
    onCaughtUp() {
      onCaughtUp?.()?.then(undefined, onError)
      lastFailure = ''
      if (!announced) report({ kind: 'caught_up', position: position() })
      announced = true
    },
  })
  await close()
  parentPort?.close()
}

function failureOf(error: unknown): Extract<WorkerReport, { kind: 'failed' }> {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'failed', message, stack }
}

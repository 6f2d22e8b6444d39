import { Worker } from 'node:worker_threads'
import { defineError, fromErrorRecord } from '../events/core/errors.js'
import type { Logger } from '../events/ports.js'
import { LogDamaged } from '../events/system/errors.js'
import type { WorkerOrder, WorkerReport } from './engine/projection-worker.js'
import type { ProjectorWorkerData } from './projector-worker.js'
import type { SinkWorkerData } from './run-files/sink-worker.js'

export interface ProjectionsOptions {
  readonly eventLogPath: string
  readonly readModelsPath: string
  readonly runFilesStatePath: string
  readonly runsRoot: string
  readonly logger: Logger
}

export interface RunningProjections {
  /** What keeps the read models or the run files from following the log, one sentence each. */
  degradations(): readonly string[]
  /** Rejects when a thread ends by itself; pending as long as all is well. */
  readonly failed: Promise<never>
  /** Finishes the batches at hand and ends the threads. */
  stop(): Promise<void>
}

/** A projection thread ended by itself. */
export class ProjectionsEnded extends defineError('projections.ended', 'defect', 'A thread that folds the log ended.') {
  constructor(name: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : 'it ended'
    super(`The ${name} thread ended: ${reason}`, { cause })
  }
}

/** Starts the projector and the run-file sink, each in a thread of its own.
 * @returns when both have caught up with the log once.
 * @throws ProjectionsEnded when a thread cannot start, for instance because there is no log; LogDamaged. */
export async function startProjections(options: ProjectionsOptions): Promise<RunningProjections> {
  const { eventLogPath, readModelsPath, runFilesStatePath, runsRoot, logger } = options
  const threads = [
    startThread('projector', new URL('./projector-worker.js', import.meta.url), logger, {
      eventLogPath,
      readModelsPath,
    } satisfies ProjectorWorkerData),
    startThread('run-files', new URL('./run-files/sink-worker.js', import.meta.url), logger, {
      eventLogPath,
      runFilesStatePath,
      runsRoot,
    } satisfies SinkWorkerData),
  ]
  const stop = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.stop()))
  }
  const failed = Promise.race(threads.map((thread) => thread.failed))
  failed.catch((error: unknown) => logger.error({ err: error }, 'a projection thread ended'))
  try {
    await Promise.race([failed, Promise.all(threads.map((thread) => thread.caughtUp))])
  } catch (error) {
    await stop()
    throw error
  }
  const degradations = (): readonly string[] => threads.flatMap((thread) => thread.degradation() ?? [])
  return { failed, stop, degradations }
}

interface Thread {
  readonly caughtUp: Promise<void>
  readonly failed: Promise<never>
  degradation(): string | null
  stop(): Promise<void>
}

function startThread(name: string, url: URL, parentLogger: Logger, workerData: object): Thread {
  const logger = parentLogger.child({ thread: name })
  const worker = new Worker(url, { workerData, name })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let stopping = false
  let cause: unknown
  worker.on('error', (error) => {
    cause = error
  })
  let degradation: string | null = null
  const caughtUp = new Promise<void>((resolve, reject) => {
    worker.on('message', (report: WorkerReport) => {
      switch (report.kind) {
        case 'caught_up':
          logger.debug({ position: report.position }, 'caught up with the log')
          degradation = null
          resolve()
          break
        case 'catching_up':
          logger.info({ position: report.position }, 'folding the log')
          break
        case 'renewed':
          logger.warn({ reason: report.reason }, 'a database is made anew from the log')
          break
        case 'failed':
          logger.error({ reason: report.message, stack: report.stack }, 'a batch failed and is tried again')
          degradation = `The ${name} thread cannot go on: ${report.message}`
          // No further attempt reads what the disk has lost.
          if (report.error?.code === LogDamaged.code) reject(fromErrorRecord(report.error))
      }
    })
  })
  const failed = new Promise<never>((_, reject) => {
    worker.on('exit', () => {
      if (!stopping) reject(new ProjectionsEnded(name, cause))
    })
  })
  return {
    caughtUp,
    failed,
    degradation: () => degradation,
    async stop() {
      stopping = true
      worker.postMessage('stop' satisfies WorkerOrder)
      await ended
    },
  }
}

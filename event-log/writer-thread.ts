import { Worker } from 'node:worker_threads'
import { fromErrorRecord, type LabError } from '../events/core/errors.js'
import { LogUnavailable } from '../events/system/errors.js'
import type { UpgradeProgress } from './upgrade.js'
import type { FromWriter, ToWriter, WriterWorkerData } from './writer-worker.js'

/** Starts the thread that owns the writing connection. */
export type StartThread = (workerData: WriterWorkerData) => Worker

export const startWriterThread: StartThread = (workerData) =>
  new Worker(new URL('./writer-worker.js', import.meta.url), { workerData })

/** The writing thread, with the log open. */
export interface WriterThread {
  /** Last position in the log when it was opened. */
  readonly position: number
  /** Resolves with the reason when the thread has ended. */
  readonly ended: Promise<string>
  tell(message: ToWriter): void
  onMessage(listener: (message: FromWriter) => void): void
}

/** @throws ForeignLog, LogDamaged, LogNotUpgraded; LogUnavailable when it cannot be opened for another reason. */
export async function openWriterThread(
  start: StartThread,
  data: WriterWorkerData,
  onUpgrade: (progress: UpgradeProgress) => void,
): Promise<WriterThread> {
  const worker = start(data)
  let reason = 'the writer thread ended'
  worker.on('error', (error) => {
    reason = error.message
  })
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', () => resolve(reason))
  })
  const first = new Promise<FromWriter>((resolve) => {
    worker.on('message', (message: FromWriter) => {
      if (message.kind === 'upgrading') onUpgrade(message.progress)
      else resolve(message)
    })
  })
  const answer = await Promise.race([first, ended])
  if (typeof answer === 'string') throw unavailable(data.path, answer)
  if (answer.kind === 'refused') {
    const { error } = answer
    if (error.code === LogUnavailable.code) throw unavailable(data.path, error.message)
    throw fromErrorRecord({ ...error, details: { path: data.path, ...error.details } })
  }
  if (answer.kind !== 'opened') throw unavailable(data.path, `its thread began with '${answer.kind}'`)
  return {
    position: answer.position,
    ended,
    tell: (message) => worker.postMessage(message, message.kind === 'append' ? [message.batch.bytes] : []),
    onMessage: (listener) => void worker.on('message', listener),
  }
}

const unavailable = (path: string, reason: string): LabError =>
  new LogUnavailable(`The event log ${path} cannot be opened: ${reason}.`, { details: { path } })

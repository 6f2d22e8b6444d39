import { Worker } from 'node:worker_threads'
import { LogUnavailable } from '../events/errors.js'
import { transferList } from './batch.js'
import { ForeignLog } from './database.js'
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

/** @throws ForeignLog when the file is not a log of this version, LogUnavailable when it cannot be opened. */
export async function openWriterThread(start: StartThread, data: WriterWorkerData): Promise<WriterThread> {
  const worker = start(data)
  let reason = 'the writer thread ended'
  worker.on('error', (error) => {
    reason = error.message
  })
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', () => resolve(reason))
  })
  const first = await Promise.race([
    new Promise<FromWriter>((resolve) => {
      worker.once('message', resolve)
    }),
    ended,
  ])
  if (typeof first === 'string') throw unavailable(data.path, first)
  if (first.kind === 'refused' && first.code === 'log.foreign') {
    const { message, remediation } = first
    throw new ForeignLog(message, { details: { path: data.path }, ...(remediation ? { remediation } : {}) })
  }
  if (first.kind === 'refused') throw unavailable(data.path, first.message)
  if (first.kind !== 'opened') throw unavailable(data.path, `its thread began with '${first.kind}'`)
  return {
    position: first.position,
    ended,
    tell: (message) => worker.postMessage(message, message.kind === 'append' ? transferList(message.batch) : []),
    onMessage: (listener) => void worker.on('message', listener),
  }
}

const unavailable = (path: string, reason: string): LogUnavailable =>
  new LogUnavailable(`The event log ${path} cannot be opened: ${reason}.`, { details: { path } })

import { workerData } from 'node:worker_threads'
import { openEventLogReader } from '../../event-log/reader.js'
import { followAsWorker } from '../projection-worker.js'
import { RunFileSink } from './run-file-sink.js'
import { openRunFilesDatabase } from './run-files-database.js'
import type { RunLayout } from './run-layout.js'

/** Thread that writes run files from the log. */
export interface SinkWorkerData {
  readonly eventLogPath: string
  readonly runFilesStatePath: string
  readonly runsRoot: string
  readonly layout: RunLayout
}

/** Blocks of several devices share one fsync per file. */
const PACE_MS = 250

const { eventLogPath, runFilesStatePath, runsRoot, layout } = workerData as SinkWorkerData
const log = openEventLogReader(eventLogPath)
const database = openRunFilesDatabase(runFilesStatePath)
const sink = new RunFileSink({ database, log, runsRoot, layout })

await followAsWorker({
  step: () => sink.advance(),
  position: () => sink.store.position,
  paceMs: PACE_MS,
  close() {
    database.close()
    log.close()
  },
})

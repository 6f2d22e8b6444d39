import { workerData } from 'node:worker_threads'
import { openEventLogReader } from '../../event-log/reader.js'
import { followAsWorker } from '../engine/projection-worker.js'
import { ArtifactMaker } from './artifact-maker.js'
import { RunFileSink } from './run-file-sink.js'
import { openRunFilesDatabase } from './run-files-database.js'

/** Thread that writes run files from the log. */
export interface SinkWorkerData {
  readonly eventLogPath: string
  readonly runFilesStatePath: string
  readonly runsRoot: string
}

/** Blocks of several devices share one fsync per file. */
const PACE_MS = 250

const { eventLogPath, runFilesStatePath, runsRoot } = workerData as SinkWorkerData
const log = openEventLogReader(eventLogPath)
const database = openRunFilesDatabase(runFilesStatePath)
const sink = new RunFileSink({ database, log, runsRoot })
const artifacts = new ArtifactMaker(sink)

await followAsWorker({
  step: () => sink.advance(),
  onCaughtUp() {
    sink.writeManifests()
    return artifacts.make()
  },
  position: () => sink.store.position,
  paceMs: PACE_MS,
  async close() {
    await artifacts.stop()
    database.close()
    log.close()
  },
})

import { workerData } from 'node:worker_threads'
import { openEventLogReader } from '../../event-log/reader.js'
import { followAsWorker } from '../engine/projection-worker.js'
import type { Follower } from '../engine/renewed-follower.js'
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

function open(path: string): Follower {
  const database = openRunFilesDatabase(path)
  try {
    const sink = new RunFileSink({ database, log, runsRoot })
    const artifacts = new ArtifactMaker(sink)
    return {
      step: () => sink.advance(),
      onCaughtUp(failed) {
        sink.writeManifests()
        artifacts.make().catch(failed)
      },
      position: () => sink.store.position,
      async close() {
        await artifacts.stop()
        database.close()
      },
    }
  } catch (error) {
    database.close()
    throw error
  }
}

await followAsWorker({ path: runFilesStatePath, open, paceMs: PACE_MS, close: () => log.close() })

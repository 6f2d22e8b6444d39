import { workerData } from 'node:worker_threads'
import { openEventLogReader } from '../event-log/reader.js'
import { openForWriting } from './engine/database.js'
import { followAsWorker } from './engine/projection-worker.js'
import { Projector } from './engine/projector.js'
import type { Follower } from './engine/renewed-follower.js'
import { projections } from './index.js'

/** Thread that folds the log into the read models. */
export interface ProjectorWorkerData {
  readonly eventLogPath: string
  readonly readModelsPath: string
}

const { eventLogPath, readModelsPath } = workerData as ProjectorWorkerData
const log = openEventLogReader(eventLogPath)

function open(path: string): Follower {
  const database = openForWriting(path)
  try {
    const projector = new Projector(database, log, projections)
    let indexed = false
    return {
      step: () => projector.foldNext(),
      onCaughtUp() {
        if (!indexed) projector.createIndexes()
        indexed = true
      },
      position: () => projector.position,
      close: () => void database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

await followAsWorker({ path: readModelsPath, open, close: () => log.close() })

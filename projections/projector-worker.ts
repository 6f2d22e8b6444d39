import { workerData } from 'node:worker_threads'
import { openEventLogReader } from '../event-log/reader.js'
import { openForWriting } from './engine/database.js'
import { followAsWorker } from './engine/projection-worker.js'
import { Projector } from './engine/projector.js'
import { projections } from './index.js'

/** Thread that folds the log into the read models. */
export interface ProjectorWorkerData {
  readonly eventLogPath: string
  readonly readModelsPath: string
}

const { eventLogPath, readModelsPath } = workerData as ProjectorWorkerData
const log = openEventLogReader(eventLogPath)
const database = openForWriting(readModelsPath)
const projector = new Projector(database, log, projections)
let indexed = false

await followAsWorker({
  step: () => projector.foldNext(),
  onCaughtUp() {
    if (!indexed) projector.createIndexes()
    indexed = true
  },
  position: () => projector.position,
  close() {
    database.close()
    log.close()
  },
})

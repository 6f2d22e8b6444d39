import { openEventLogReader } from '../event-log/reader.js'
import { openForWriting, removeDatabase } from './engine/database.js'
import { Projector } from './engine/projector.js'
import { projections } from './index.js'
import { ArtifactMaker } from './run-files/artifact-maker.js'
import { RunFileSink } from './run-files/run-file-sink.js'
import { openRunFilesDatabase } from './run-files/run-files-database.js'

export interface RebuildProgress {
  /** Position reached, and the log's last. */
  readonly position: number
  readonly last: number
}

export interface RebuildReadModelsOptions {
  readonly eventLogPath: string
  readonly readModelsPath: string
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** Removes the read models and folds the log again, from the first event. For a process of its own: it keeps the thread busy. */
export async function rebuildReadModels({
  eventLogPath,
  readModelsPath,
  onProgress,
}: RebuildReadModelsOptions): Promise<void> {
  const log = openEventLogReader(eventLogPath)
  removeDatabase(readModelsPath)
  const database = openForWriting(readModelsPath)
  try {
    const projector = new Projector(database, log, projections)
    while (projector.foldNext() > 0) {
      onProgress?.({ position: projector.position, last: log.lastPosition() })
      await new Promise(setImmediate)
    }
    projector.createIndexes()
  } finally {
    database.close()
    log.close()
  }
}

export interface RebuildRunFilesOptions {
  readonly eventLogPath: string
  readonly runFilesStatePath: string
  readonly runsRoot: string
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** Writes the files of every run anew from the log. For a process of its own, while no other writes run files. */
export async function rebuildRunFiles(options: RebuildRunFilesOptions): Promise<void> {
  const { eventLogPath, runFilesStatePath, runsRoot, onProgress } = options
  const log = openEventLogReader(eventLogPath)
  removeDatabase(runFilesStatePath)
  const database = openRunFilesDatabase(runFilesStatePath)
  try {
    const sink = new RunFileSink({ database, log, runsRoot })
    while (sink.advance() > 0) {
      onProgress?.({ position: sink.store.position, last: log.lastPosition() })
      await new Promise(setImmediate)
    }
    await new ArtifactMaker(sink).make()
    sink.writeManifests()
  } finally {
    database.close()
    log.close()
  }
}

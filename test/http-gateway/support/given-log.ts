import { join } from 'node:path'
import { openForWriting } from '../../../projections/engine/database.js'
import { Projector } from '../../../projections/engine/projector.js'
import { projections } from '../../../projections/index.js'
import { openReadModels } from '../../../projections/read-models.js'
import { openRunFilesDatabase } from '../../../projections/run-files/run-files-database.js'
import { RunFilesStore } from '../../../projections/run-files/run-files-store.js'
import { MemoryLog, type TestEvent } from '../../support/memory-log.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import type { GivenRun } from './given-runs.js'

/** A log that a test fills, folded into the real read models; what the run-file sink would have written is stated with a run. */
export function openGivenLog() {
  const home = temporaryDirectory()
  const paths = { readModelsPath: join(home, 'read-models.db'), runFilesStatePath: join(home, 'run-files.db') }
  const log = new MemoryLog()
  const database = openForWriting(paths.readModelsPath)
  database.pragma('synchronous = OFF')
  const projector = new Projector(database, log, projections)
  const filesDatabase = openRunFilesDatabase(paths.runFilesStatePath)
  filesDatabase.pragma('synchronous = OFF')
  const store = new RunFilesStore(filesDatabase)
  const readModels = openReadModels(paths)

  const fold = (): void => {
    while (projector.foldNext() > 0);
    store.position = log.lastPosition()
  }

  return {
    log,
    readModels,
    /** Folds what was appended to the log. */
    fold,
    /** Appends events and folds them. */
    given(...events: readonly TestEvent[]): void {
      log.append(...events)
      fold()
    },
    /** Appends the events of a run and states the files of its slots. */
    givenRun({ events, order, directory, files }: GivenRun): void {
      const position = log.append(...events)
      if (directory !== null) {
        store.addRun(order, directory, position)
        for (const { slot, path } of files) {
          const file = { run_id: order.run_id, path, slot, mode_index: 0, kind: 'csv' } as const
          store.put({ ...file, bytes: 0, row_count: 0, complete: true })
        }
        store.manifestWritten(order.run_id)
      }
      fold()
    },
    close(): void {
      readModels.close()
      database.close()
      filesDatabase.close()
    },
  }
}

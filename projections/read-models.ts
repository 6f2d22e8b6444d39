import type Database from 'better-sqlite3'
import { defineError } from '../events/core/errors.js'
import { announcementQueries } from './announcements/announcements.js'
import { taskQueries } from './commands/tasks.js'
import { checkpointQueries } from './engine/checkpoint.js'
import { openLazily } from './engine/lazy-database.js'
import { openTables } from './engine/queries.js'
import { jobQueries } from './jobs/job-metadata.js'
import { settingQueries } from './jobs/job-settings.js'
import { runFilesQueries } from './run-files/run-files-queries.js'
import { runQueries } from './runs/run-queries.js'

export type { RunOverview, RunRow, RunSlotRow } from './runs/run-rows.js'

export interface ReadModelPaths {
  readonly readModelsPath: string
  readonly runFilesStatePath: string
}

/** The projector has not made its tables yet. */
export const ReadModelsNotReady = defineError('read_models.not_ready', 'state', 'The read models are not built yet.')

/** The queries of the read models: all that the gateway knows of the world. Rows keep their wire spelling; each query is declared
 * beside the fold whose table it asks. */
export type ReadModels = Omit<Queries, 'position'> & {
  /** Position up to which every projection has folded the log. */
  position(): Promise<number>
  /** Position up to which the run-file sink has written files. */
  filesPosition(): Promise<number>
  close(): void
}

type RunFiles = ReturnType<typeof runFilesQueries>
type Queries = ReturnType<typeof queriesOf>

function queriesOf(database: Database.Database, files: () => RunFiles | null) {
  return {
    ...checkpointQueries(openTables(database)),
    ...jobQueries(openTables(database)),
    ...settingQueries(openTables(database)),
    ...taskQueries(openTables(database)),
    ...announcementQueries(openTables(database)),
    ...runQueries(openTables(database), files),
  }
}

/** Opens the read models for queries. Files that the projections have not made yet are opened when they appear: until then positions
 * are 0 and other queries reject with `ReadModelsNotReady`. */
export function openReadModels({ readModelsPath, runFilesStatePath }: ReadModelPaths): ReadModels {
  const files = openLazily(runFilesStatePath, (database) => runFilesQueries(openTables(database)))
  const models = openLazily(readModelsPath, (database) => queriesOf(database, files.get))
  const all = (): Queries => {
    const queries = models.get()
    if (queries === null)
      throw new ReadModelsNotReady(`The read models at ${readModelsPath} are not there yet.`, {
        remediation: 'Wait for the projections to start.',
        cause: models.cause(),
      })
    return queries
  }
  return {
    position: async () => (await models.get()?.position()) ?? 0,
    filesPosition: async () => (await files.get()?.position()) ?? 0,
    jobs: async (filter) => all().jobs(filter),
    jobSettings: async (jobName) => all().jobSettings(jobName),
    task: async (id) => all().task(id),
    jobCapabilities: async () => all().jobCapabilities(),
    modes: async () => all().modes(),
    devices: async () => all().devices(),
    runs: async (filter) => all().runs(filter),
    run: async (runId) => all().run(runId),
    close() {
      models.close()
      files.close()
    },
  }
}

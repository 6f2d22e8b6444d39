import { defineError } from '../events/core/errors.js'
import { checkpointQueries } from './engine/checkpoint.js'
import { openLazily } from './engine/lazy-database.js'
import { absentTables, openTables } from './engine/queries.js'
import type { ReadModelSource } from './engine/read-model.js'
import { readModels } from './index.js'
import { runFilesQueries } from './run-files/run-files-queries.js'

export type { StoredArtifactRow } from './calibrations/stored-artifacts.js'
export type { RunOverview, RunRow, RunSlotRow } from './runs/run-rows.js'

export interface ReadModelPaths {
  readonly readModelsPath: string
  readonly runFilesStatePath: string
}

/** The projector has not made its tables yet. */
export const ReadModelsNotReady = defineError('read_models.not_ready', 'state', 'The read models are not built yet.')

type AllOf<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never
type Queries = AllOf<ReturnType<(typeof readModels)[number]['queries']>>

/** The queries of the read models: all that the gateway knows of the world. Rows keep their wire spelling; each query is declared
 * beside the fold whose table it asks. */
export type ReadModels = Queries & {
  /** Position up to which every projection has folded the log. */
  position(): Promise<number>
  /** How many events one of them could make nothing of. */
  parkedEvents(): Promise<number>
  /** Position up to which the run-file sink has written files. */
  filesPosition(): Promise<number>
  close(): void
}

const queriesOf = (source: ReadModelSource): Queries =>
  // What the type says of the list is so of its elements.
  Object.assign({}, ...readModels.map((model) => model.queries(source))) as Queries

/** The same queries, each asked of what is there at that time. */
const askedOf = (queries: Queries, present: () => Queries): Queries =>
  Object.fromEntries(
    Object.keys(queries).map((name) => [name, async (...given: unknown[]) => Reflect.get(present(), name)(...given)]),
  ) as Queries

/** Opens the read models for queries. Files that the projections have not made yet are opened when they appear: until then positions
 * are 0 and other queries reject with `ReadModelsNotReady`. */
export function openReadModels({ readModelsPath, runFilesStatePath }: ReadModelPaths): ReadModels {
  const files = openLazily(runFilesStatePath, (database) => runFilesQueries(openTables(database)))
  const models = openLazily(readModelsPath, (database) => ({
    checkpoint: checkpointQueries(openTables(database)),
    queries: queriesOf({ tables: () => openTables(database), files: files.get }),
  }))
  const notReady = (): Error =>
    new ReadModelsNotReady(`The read models at ${readModelsPath} are not there yet.`, {
      remediation: 'Wait for the projections to start.',
      cause: models.cause(),
    })
  const absent = queriesOf({ tables: () => absentTables(notReady), files: () => null })
  return {
    ...askedOf(absent, () => models.get()?.queries ?? absent),
    position: async () => (await models.get()?.checkpoint.position()) ?? 0,
    parkedEvents: async () => (await models.get()?.checkpoint.parkedEvents()) ?? 0,
    filesPosition: async () => (await files.get()?.position()) ?? 0,
    close() {
      models.close()
      files.close()
    },
  }
}

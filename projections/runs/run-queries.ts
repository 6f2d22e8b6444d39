import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'
import type { RunFilesState, RunFolder } from '../run-files/run-files-queries.js'
import { type RunOverview, type RunRow, runOverview, runRow } from './run-rows.js'
import { type RunSlotTableRow, runSlots, runSlotTableQueries } from './run-slots.js'
import { type RunTableRow, runTable, runTableQueries } from './runs.js'

export interface RunFilter {
  readonly groupId?: string
}

const NO_FILES: RunFilesState = { directory: null, files: [], pending: true, problems: [] }

interface RunTables {
  readonly runs: RunTableRow
  readonly run_slots: RunSlotTableRow
}

/** The folded tables joined with what the run-file sink has written. */
export const runs = readModel([runTable, runSlots], (tables: Tables<RunTables>, files) => {
  const ordered = runTableQueries(tables)
  const slotStates = runSlotTableQueries(tables)
  // The sink's position is always read before its state, so that a run is never shown as complete too early.
  return {
    /** Every run ever, the latest first: there may be thousands. */
    async runs({ groupId }: RunFilter = {}): Promise<readonly RunOverview[]> {
      const written = files()
      const position = (await written?.position()) ?? 0
      const found = await ordered.all(groupId ?? null)
      const slots = await slotStates.all()
      const folders = await written?.folders()
      return found.map((run) =>
        runOverview(run, slots.get(run.run_id) ?? [], folders?.get(run.run_id) ?? folderless(folders), position),
      )
    },
    /** One run with its files; null when there is none of that id. */
    async run(runId: string): Promise<RunRow | null> {
      const run = await ordered.one(runId)
      if (run === null) return null
      const written = files()
      const position = (await written?.position()) ?? 0
      return runRow(run, await slotStates.of(runId), (await written?.state(runId)) ?? NO_FILES, position)
    },
  }
})

/** A run the sink does not know is retired, or nothing is known of any. */
const folderless = (folders: ReadonlyMap<string, RunFolder> | undefined): RunFolder => ({
  directory: null,
  pending: folders === undefined,
})

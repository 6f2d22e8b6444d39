import type { Tables } from '../engine/queries.js'
import type { RunFilesState, RunFolder, runFilesQueries } from '../run-files/run-files-queries.js'
import { type RunOverview, type RunRow, runOverview, runRow } from './run-rows.js'
import { type RunSlotTableRow, runSlotTableQueries } from './run-slots.js'
import { type RunTableRow, runTableQueries } from './runs.js'

export interface RunFilter {
  readonly groupId?: string
}

type RunFiles = Pick<ReturnType<typeof runFilesQueries>, 'position' | 'state' | 'folders'>

const NO_FILES: RunFilesState = { directory: null, files: [], pending: true, problems: [] }

/** Queries of runs: the folded tables joined with what the run-file sink has written.
 * @param files null as long as the sink has made no tables. */
export function runQueries(
  tables: Tables<{ runs: RunTableRow; run_slots: RunSlotTableRow }>,
  files: () => RunFiles | null,
) {
  const runs = runTableQueries(tables)
  const runSlots = runSlotTableQueries(tables)
  // The sink's position is always read before its state, so that a run is never shown as complete too early.
  return {
    /** Every run ever, the latest first: there may be thousands. */
    async runs({ groupId }: RunFilter = {}): Promise<readonly RunOverview[]> {
      const written = files()
      const position = (await written?.position()) ?? 0
      const found = await runs.all(groupId ?? null)
      const slots = await runSlots.all()
      const folders = await written?.folders()
      return found.map((run) =>
        runOverview(run, slots.get(run.run_id) ?? [], folders?.get(run.run_id) ?? folderless(folders), position),
      )
    },
    /** One run with its files; null when there is none of that id. */
    async run(runId: string): Promise<RunRow | null> {
      const run = await runs.one(runId)
      if (run === null) return null
      const written = files()
      const position = (await written?.position()) ?? 0
      return runRow(run, await runSlots.of(runId), (await written?.state(runId)) ?? NO_FILES, position)
    },
  }
}

/** A run the sink does not know is retired, or nothing is known of any. */
const folderless = (folders: ReadonlyMap<string, RunFolder> | undefined): RunFolder => ({
  directory: null,
  pending: folders === undefined,
})

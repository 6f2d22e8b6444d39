import { isTerminal } from '../../events/run-status.js'
import { keptList } from '../engine/kept-list.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'
import type { RunFilesQueries, RunFilesState, RunFolder } from '../run-files/run-files-queries.js'
import { type RunOverview, type RunRow, runOverview, runRow } from './run-rows.js'
import { type RunSlotTableRow, runSlots, runSlotTableQueries } from './run-slots.js'
import { type ListedRun, type RunTableRow, runTable, runTableQueries } from './runs.js'

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
    /** Every run ever, the latest first: there may be thousands. The same list and the same runs as long as they have not changed. A run
     * that has ended, with its files, stays as it is until another event tells of it. */
    runs: keptList<ListedRun, RunOverview>({
      lastChange: ordered.lastChange,
      changedAfter: ordered.changedAfter,
      compare: latestFirst,
      async itemOf(run) {
        const written = files()
        const position = (await written?.position()) ?? 0
        const slots = await slotStates.of(run.run_id)
        return runOverview(run, slots, (await written?.folder(run.run_id)) ?? folderless(written), position)
      },
      isSettled: ({ status }) => isTerminal(status),
    }),
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
const folderless = (written: RunFilesQueries | null): RunFolder => ({ directory: null, pending: written === null })

const latestFirst = (one: ListedRun, other: ListedRun): number => {
  const [first, second] = [one, other].map(({ started_at, run_id }) => `${started_at}\0${run_id}`) as [string, string]
  return first === second ? 0 : first < second ? 1 : -1
}

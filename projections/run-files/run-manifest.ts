import { MANIFEST_DIRECTORY, type RunManifest } from '../../events/nas/nas.js'
import { runStatus } from '../runs/run-rows.js'
import type { RunFilesStore } from './run-files-store.js'

/** Where a run's manifest lies, relative to the runs' root. */
export const manifestPath = (runId: string): string => `${MANIFEST_DIRECTORY}/${runId}.json`

/** The files of a run, for code that may not read the sink's tables; null until every slot has ended and every file is complete. */
export function manifestOf(runId: string, store: RunFilesStore): RunManifest | null {
  const run = store.run(runId)
  const ends = store.slotEnds(runId)
  if (run === null || ends.length < run.order.slots.length) return null
  const files = store.filesOf(runId)
  if (files.some(({ complete }) => !complete)) return null
  return {
    run_id: runId,
    directory: run.directory,
    status: runStatus(ends.map(({ status }) => status)),
    ended_at: ends.map(({ ended_at }) => ended_at).reduce((latest, time) => (time > latest ? time : latest)),
    files: files.map(({ path, bytes }) => ({ path, bytes })),
  }
}

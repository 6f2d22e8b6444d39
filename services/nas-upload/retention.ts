import { rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { timestampOf } from '../../events/core/timestamp.js'
import type { RunRetired } from '../../events/nas/nas.js'
import { findLine, setLine } from './markers.js'
import { listRuns, readManifest } from './run-manifests.js'

const DAY_MS = 86_400_000

/** Whether files uploaded then have been kept long enough. */
export const isExpired = (uploadedAt: string, retentionDays: number, now: Date): boolean =>
  now.getTime() - Date.parse(uploadedAt) > retentionDays * DAY_MS

export interface RetentionDeps {
  readonly runsRoot: string
  readonly retentionDays: number
  readonly now: Date
  /** Runs that are about to be uploaded again stay. */
  readonly isPending: (runId: string) => boolean
  /** Tells the owner of the files; resolves when it is on disk. */
  readonly retire: (retired: RunRetired) => Promise<void>
}

/** Retires the runs whose `UPLOAD_DONE` line is older than `retentionDays`. Only ended runs have a manifest, and only they are looked
 * at. Deleting `UPLOAD_DONE` keeps a run. @returns the retired runs. */
export async function retireExpired(deps: RetentionDeps): Promise<readonly string[]> {
  const { runsRoot, retentionDays, now, isPending, retire } = deps
  const retired: string[] = []
  for (const runId of await listRuns(runsRoot)) {
    const manifest = await readManifest(runsRoot, runId)
    if (manifest === null || isPending(runId)) continue
    const directory = join(runsRoot, manifest.directory)
    const done = await findLine(directory, 'UPLOAD_DONE', runId)
    if (done === null || !isExpired(done.timestamp, retentionDays, now)) continue
    await retire({
      run_id: runId,
      uploaded_at: done.timestamp,
      retention_days: retentionDays,
      timestamp: timestampOf(now),
    })
    await setLine(directory, 'UPLOAD_DONE', runId, null)
    await removeEmpty(runsRoot, directory)
    retired.push(runId)
  }
  return retired
}

/** The last one to delete something in a directory removes it: the sink with the last file, or this code with the marker. */
async function removeEmpty(runsRoot: string, directory: string): Promise<void> {
  for (let path = directory; relative(runsRoot, path) !== ''; path = dirname(path)) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    )
    if (!removed) return
  }
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInput } from '../../events/core/errors.js'
import { MANIFEST_DIRECTORY, RunManifest } from '../../events/nas/nas.js'
import { checkJson } from '../../events/schema.js'
import { RUN_ID_PATTERN } from '../../events/topic.js'
import { isMissing } from './config-store.js'

const RUN_ID = new RegExp(RUN_ID_PATTERN)
const SUFFIX = '.json'

/** Ids of the ended runs whose files are on this computer, sorted. */
export async function listRuns(runsRoot: string): Promise<readonly string[]> {
  const names = await readdir(join(runsRoot, MANIFEST_DIRECTORY)).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter((runId) => RUN_ID.test(runId))
    .sort()
}

/** The files of an ended run; null when it has not ended, is unknown or was retired.
 * @throws InvalidInput when the manifest is not of the documented form. */
export async function readManifest(runsRoot: string, runId: string): Promise<RunManifest | null> {
  if (!RUN_ID.test(runId)) return null
  const text = await readFile(join(runsRoot, MANIFEST_DIRECTORY, runId + SUFFIX), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (text === null) return null
  const manifest = checkJson(RunManifest, text, `manifest of ${runId}`)
  for (const path of [manifest.directory, ...manifest.files.map((file) => file.path)]) checkPath(runId, path)
  return manifest
}

/** What the sink never writes must not be read either, nor reach a script. */
function checkPath(runId: string, path: string): void {
  const names = path.split('/')
  if (names.every((name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name))) return
  throw new InvalidInput(`The manifest of ${runId} names '${path.slice(0, 80)}', which is not a path of a run file.`)
}

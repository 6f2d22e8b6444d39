import { realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { defineError, type LabError } from '../../../events/core/errors.js'
import { isTerminal } from '../../../events/run-status.js'
import type { RunRow } from '../../../projections/read-models.js'
import type { GatewayContext } from '../../context.js'
import { withStatus } from '../../framework/errors.js'

/** As the paths below `/runs` say it. */
export const RunNotFound = withStatus(
  404,
  defineError('runs.not_found', 'input', 'No run has this id, or it has no files.'),
)
export const FileNotFound = withStatus(
  404,
  defineError('runs.file_not_found', 'input', 'The run has no file of this path.'),
)

/** A finished file of a run. */
export interface RunFile {
  /** Relative to the run's directory, posix. */
  readonly path: string
  /** Absolute, symbolic links resolved, inside the run's folder. */
  readonly location: string
  readonly size: number
  readonly modified: Date
}

export async function findRun({ readModels }: GatewayContext, runId: string): Promise<RunRow> {
  const run = await readModels.run(runId)
  if (run === null) throw new RunNotFound('There is no run with this id.')
  return run
}

/** Paths of the files this run has written: the only ones that are ever served, whatever else lies in its directory. */
export const filePaths = ({ slots }: RunRow): readonly string[] =>
  [...new Set(slots.flatMap(({ files }) => files))].sort()

/** The file behind one of the run's paths; null when it is not the run's, has vanished, or leads out of
 * the run's folder. */
async function findFile(context: GatewayContext, run: RunRow, path: string): Promise<RunFile | null> {
  if (run.directory === null || !filePaths(run).includes(path)) return null
  try {
    const folder = join(context.runsRoot, run.directory)
    const [root, directory, location] = await Promise.all([
      realpath(context.runsRoot),
      realpath(folder),
      realpath(join(folder, path)),
    ])
    const info = await stat(location)
    if (!info.isFile() || !directory.startsWith(root + sep) || !location.startsWith(directory + sep)) return null
    return { path, location, size: info.size, modified: info.mtime }
  } catch (error) {
    context.logger.debug({ run: run.run_id, path, err: error }, 'run file is not readable')
    return null
  }
}

/** Every file of the run that is there, by path.
 * @throws RunNotFound when the run wrote files and none of them is left, or its folder was given up. */
export async function runFiles(context: GatewayContext, run: RunRow): Promise<readonly RunFile[]> {
  const paths = filePaths(run)
  const found = await Promise.all(paths.map((path) => findFile(context, run, path)))
  const files = found.filter((file) => file !== null)
  if (files.length === 0 && (isRetired(run) || paths.length > 0)) throw filesGone()
  return files
}

/** One file of the run. @throws FileNotFound, or RunNotFound when the run's folder was given up. */
export async function runFile(context: GatewayContext, run: RunRow, path: string): Promise<RunFile> {
  const file = await findFile(context, run, path)
  if (file !== null) return file
  await runFiles(context, run)
  throw fileNotFound()
}

export const fileNotFound = (): LabError => new FileNotFound('The run has no such file.')

/** A run that is over has a folder until its files leave this computer. */
const isRetired = ({ status, directory }: RunRow): boolean => isTerminal(status) && directory === null

const filesGone = (): LabError => new RunNotFound('The files of this run are not on this computer any more.')

import type { RunManifest } from '../../events/nas/nas.js'
import { CopyIncomplete } from './errors.js'

/** Compares the files of a run with what the share has.
 * @param sizes bytes by path, relative to the run's directory.
 * @throws CopyIncomplete naming the first difference. */
export function checkCopy(files: RunManifest['files'], sizes: ReadonlyMap<string, number>): void {
  const wrong = files.filter(({ path, bytes }) => sizes.get(path) !== bytes)
  const [first] = wrong
  if (first === undefined) return
  const found = sizes.get(first.path)
  const state = found === undefined ? 'is missing on the share' : `has ${found} bytes on the share`
  throw new CopyIncomplete(
    `${wrong.length} of ${files.length} files did not arrive whole: ${first.path} ${state}, ${first.bytes} bytes here.`,
  )
}

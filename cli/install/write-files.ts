import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineError } from '../../events/core/errors.js'
import { MARK, type SystemFile } from './system-files.js'

/** A file of the same name that we did not write. */
class ForeignFile extends defineError(
  'install.foreign_file',
  'state',
  'A file that would be written exists and is none of ours.',
) {
  constructor(path: string) {
    super(`${path} exists and was not written by benchlog install; nothing was changed.`, {
      remediation: 'Move it away, then try again.',
    })
  }
}

/** Writes the files below a root directory; of those that were there before, the lines that change are shown. All or none: what is somebody else's
 * is found before anything is written. @throws ForeignFile */
export function writeFiles(files: readonly SystemFile[], root: string, print: (line: string) => void): void {
  refuseForeign(files, root)
  for (const { path, content, mode = 0o644, keep = false } of files) {
    const target = join(root, path)
    const before = existsSync(target) ? readFileSync(target, 'utf8') : null
    if (before === content || (before !== null && keep)) {
      print(`${target}: unchanged`)
      continue
    }
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
    writeFileSync(target, content, { mode })
    chmodSync(target, mode)
    print(`${target}: ${before === null ? 'written' : 'replaced'}`)
    for (const line of before === null ? [] : changes(before, content)) print(line)
  }
}

/** Removes the files that are ours; what the user keeps, stays. @throws ForeignFile */
export function removeFiles(files: readonly SystemFile[], root: string, print: (line: string) => void): void {
  refuseForeign(files, root)
  for (const { path, keep = false } of files) {
    const target = join(root, path)
    if (!existsSync(target)) continue
    if (!keep) rmSync(target)
    print(`${target}: ${keep ? 'kept' : 'removed'}`)
  }
}

function refuseForeign(files: readonly SystemFile[], root: string): void {
  for (const { path, keep = false } of files) {
    const target = join(root, path)
    if (!keep && existsSync(target) && !isOurs(readFileSync(target, 'utf8'))) throw new ForeignFile(target)
  }
}

const isOurs = (content: string): boolean => content.split('\n', 1)[0]?.includes(MARK) === true

function changes(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const lacking = (lines: readonly string[], others: readonly string[], sign: string): readonly string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `  ${sign} ${line}`)
  return [...lacking(old, fresh, '-'), ...lacking(fresh, old, '+')]
}

import type { LabError } from '../../../events/core/errors.js'
import { ARCHIVE_METADATA, ArchiveInvalid } from '../../../events/machine/archive.js'
import type { ZipEntry } from './zip-directory.codec.js'

/** What all files of an archive may have unpacked: a data directory has a few MiB, its plugins and databases more. */
export const MAX_UNPACKED_BYTES = 2 ** 30
const MAX_NAME_BYTES = 1024
const MAX_COMPONENT_BYTES = 255

const TYPE = 0o170000
const [LINK, REGULAR, DIRECTORY] = [0o120000, 0o100000, 0o040000]

const REMEDIATION = 'Use an archive that a Pioreactor or Benchlog unit has exported.'

/** @param error what clients show */
export const refusal = (error: string, cause = 'The check of the archive failed.'): LabError =>
  new ArchiveInvalid(error, { remediation: REMEDIATION, details: { cause } })

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Refuses an archive as a whole: nothing of it may land outside the directory it is unpacked into, fill the disk, or overwrite another part of it.
 * @throws ArchiveInvalid in the order of the checks of a Pioreactor, then of our own */
export function checkEntries(entries: readonly ZipEntry[]): void {
  const some = (wrong: (entry: ZipEntry) => boolean, error: string): void => {
    if (entries.some(wrong)) throw refusal(error)
  }
  some(({ name }) => name.startsWith('/') || /^[a-z]:/i.test(name), 'The archive contains absolute paths.')
  some(({ name }) => name.split(/[/\\]/).includes('..'), 'The archive contains path traversal.')
  some(({ mode }) => (mode & TYPE) === LINK, 'The archive contains symbolic links.')
  some(
    ({ mode, isDirectory }) => ![0, isDirectory ? DIRECTORY : REGULAR].includes(mode & TYPE),
    'The archive contains what is neither file nor directory.',
  )
  some(({ name }) => !isPlain(name), 'The archive contains a name that no file here can have.')
  some(({ isDirectory, bytes }) => isDirectory && bytes > 0, 'The archive contains a directory with content.')
  const files = new Set<string>()
  const folders = new Set<string>()
  for (const { name, isDirectory } of entries) {
    const path = name.replace(/\/$/, '')
    if (files.has(path) || (!isDirectory && folders.has(path))) throw refusal('The archive contains a name twice.')
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at))
    ;(isDirectory ? folders : files).add(path)
  }
  if ([...folders].some((path) => files.has(path))) throw refusal('The archive contains a file below a file.')
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > MAX_UNPACKED_BYTES) {
    throw refusal(
      'The archive is too large.',
      `Unpacked it has ${bytes} bytes; at most ${MAX_UNPACKED_BYTES} are taken.`,
    )
  }
  if (!files.has('config.ini') && !files.has(ARCHIVE_METADATA)) {
    throw refusal('The archive is none of a data directory.', 'It has no config.ini.')
  }
}

function isPlain(name: string): boolean {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES || name.includes('\\') || CONTROL.test(name)) return false
  return name
    .replace(/\/$/, '')
    .split('/')
    .every((part) => part !== '' && part !== '.' && Buffer.byteLength(part) <= MAX_COMPONENT_BYTES)
}

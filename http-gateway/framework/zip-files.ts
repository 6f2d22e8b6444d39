import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Archiver, ZipOptions } from 'archiver'

/** The declarations describe archiver 8, which needs a later Node; version 7 is a function. */
const createArchive = createRequire(import.meta.url)('archiver') as (format: 'zip', options: ZipOptions) => Archiver

/** Measurements compress well even at the fastest level; pictures are compressed already. */
const options = { zlib: { level: 1 }, statConcurrency: 1 }

/** A file on disk, or a small one that is at hand. A directory on disk is an entry by itself. */
type ZippedFile =
  | { readonly path: string; readonly location: string }
  | { readonly path: string; readonly content: string; readonly date: Date }

/** Streams files as a zip archive, in the order given, holding a few buffers of one file at a time.
 * @throws Error when a file cannot be read or the receiver goes away; the archive is then incomplete. */
export async function zipFiles(files: readonly ZippedFile[], receiver: Writable): Promise<void> {
  const archive = createArchive('zip', options)
  // A file that vanished is a warning to the library; an archive that lacks it would be a silent gap.
  archive.on('warning', (error) => archive.destroy(error))
  const sent = pipeline(archive, receiver)
  for (const file of files) {
    const entry = { name: file.path, store: file.path.endsWith('.png') }
    if ('location' in file) archive.file(file.location, entry)
    else archive.append(file.content, { ...entry, date: file.date })
  }
  try {
    await Promise.all([sent, archive.finalize()])
  } finally {
    archive.abort()
  }
}

import { createRequire } from 'node:module'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Archiver, ZipOptions } from 'archiver'

/** The declarations describe archiver 8, which needs a later Node; version 7 is a function. */
const createArchive = createRequire(import.meta.url)('archiver') as (format: 'zip', options: ZipOptions) => Archiver

/** Measurements compress well even at the fastest level; pictures are compressed already. */
const options = { zlib: { level: 1 }, statConcurrency: 1 }

/** Streams files as a zip archive, in the order given, holding a few buffers of one file at a time.
 * @throws Error when a file cannot be read or the receiver goes away; the archive is then incomplete. */
export async function zipFiles(
  files: readonly { readonly path: string; readonly location: string }[],
  receiver: Writable,
): Promise<void> {
  const archive = createArchive('zip', options)
  // A file that vanished is a warning to the library; an archive that lacks it would be a silent gap.
  archive.on('warning', (error) => archive.destroy(error))
  const sent = pipeline(archive, receiver)
  for (const { path, location } of files) {
    const entry = { name: path, store: path.endsWith('.png') }
    archive.file(location, entry)
  }
  try {
    await Promise.all([sent, archive.finalize()])
  } finally {
    archive.abort()
  }
}

import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { ARCHIVE_METADATA } from '../../../events/machine/archive.js'
import { checkEntries, refusal } from './check-entries.js'
import {
  contentOffset,
  decodeEnd,
  decodeEntries,
  LOCAL_BYTES,
  MAX_END_BYTES,
  type ZipEntry,
} from './zip-directory.codec.js'

/** A directory of 100 000 entries has half of it. */
const MAX_DIRECTORY_BYTES = 32 * 2 ** 20
const MAX_METADATA_BYTES = 64 * 1024

/** A checked archive. */
export interface Archive {
  readonly entries: readonly ZipEntry[]
  /** Calls with the pieces of what an entry holds. @throws ArchiveInvalid when it is not what the directory says */
  unpack(entry: ZipEntry, piece: (bytes: Buffer) => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** Opens an archive of the unit and checks all of its directory and where it comes from; its files are checked as they are unpacked.
 * @throws ArchiveInvalid */
export async function openArchive(path: string, unit: string): Promise<Archive> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { size } = await file.stat()
    const tail = await readAt(file, Math.max(0, size - MAX_END_BYTES), Math.min(size, MAX_END_BYTES))
    const place = decodeEnd(tail, size)
    if (place.bytes > MAX_DIRECTORY_BYTES) throw refusal('The archive contains too many files.')
    const entries = decodeEntries(await readAt(file, place.offset, place.bytes), place.entries)
    checkEntries(entries)
    const archive: Archive = {
      entries,
      unpack: (entry, piece) => unpack(file, entry, piece),
      close: () => file.close(),
    }
    await checkOrigin(archive, unit)
    return archive
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** An archive without metadata is an old one, of which nobody knows the unit. @throws ArchiveInvalid */
async function checkOrigin(archive: Archive, unit: string): Promise<void> {
  const entry = archive.entries.find(({ name }) => name === ARCHIVE_METADATA)
  if (entry === undefined) return
  const error = 'The metadata of the archive is invalid.'
  if (entry.bytes > MAX_METADATA_BYTES) throw refusal(error, 'It is too long.')
  const pieces: Buffer[] = []
  await archive.unpack(entry, async (piece) => void pieces.push(piece))
  let metadata: unknown
  try {
    metadata = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)))
  } catch {
    throw refusal(error, `${ARCHIVE_METADATA} is not JSON in UTF-8.`)
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw refusal(error, `${ARCHIVE_METADATA} is not an object.`)
  }
  const name = 'name' in metadata ? metadata.name : ''
  if (name === undefined || name === null || name === '' || name === unit) return
  throw refusal(`The archive is of ${JSON.stringify(name).slice(0, 100)}, and this unit is ${unit}.`)
}

async function unpack(file: FileHandle, entry: ZipEntry, piece: (bytes: Buffer) => Promise<void>): Promise<void> {
  const start = contentOffset(await readAt(file, entry.offset, LOCAL_BYTES), entry)
  const damaged = refusal('The archive is damaged.', 'A file in it is not what its directory says.')
  let bytes = 0
  let crc = 0
  let failure: unknown
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      bytes += chunk.length
      crc = crc32(chunk, crc)
      try {
        // No more than was declared, however much there is.
        if (bytes > entry.bytes) throw damaged
        await piece(chunk)
      } catch (error) {
        failure = error
        throw error
      }
    }
  }
  const packed =
    entry.compressedBytes === 0
      ? Readable.from([])
      : file.createReadStream({ start, end: start + entry.compressedBytes - 1, autoClose: false })
  try {
    if (entry.method === 'stored') await take(packed)
    else await pipeline(packed, createInflateRaw(), take)
  } catch (thrown) {
    // A stream that is broken off tells that, not why.
    const error = failure ?? thrown
    throw error instanceof Error && 'code' in error && String(error.code).startsWith('Z_') ? damaged : error
  }
  if (bytes !== entry.bytes || crc !== entry.crc) throw damaged
}

/** Unpacks all files into a directory that is empty, each on the medium when it resolves, but for those that `skip` names.
 * @param written told of each file */
export async function unpackAll(
  archive: Archive,
  target: string,
  { skip, written }: { readonly skip: (path: string) => boolean; readonly written?: (path: string) => void },
): Promise<void> {
  for (const entry of archive.entries) {
    if (skip(entry.name)) continue
    const path = join(target, entry.name)
    if (entry.isDirectory) {
      await mkdir(path, { recursive: true, mode: 0o700 })
      continue
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(path, 'wx', 0o600 | (entry.mode & 0o100))
    try {
      await archive.unpack(entry, (piece) => file.writeFile(piece))
      await file.sync()
    } finally {
      await file.close()
    }
    written?.(entry.name)
  }
}

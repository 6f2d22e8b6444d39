import { ArchiveInvalid } from '../../../events/machine/archive.js'

/** One entry of a zip archive as its directory tells it. */
export interface ZipEntry {
  readonly name: string
  readonly isDirectory: boolean
  /** Unix mode with the type of the file; 0 where the archive tells none. */
  readonly mode: number
  readonly method: 'stored' | 'deflated'
  readonly crc: number
  readonly compressedBytes: number
  readonly bytes: number
  /** Where its local header begins. */
  readonly offset: number
}

/** Where the directory of an archive lies. */
export interface DirectoryPlace {
  readonly offset: number
  readonly bytes: number
  readonly entries: number
}

/** Record at the end without its comment, and the longest comment. */
const END_BYTES = 22
export const MAX_END_BYTES = END_BYTES + 0xffff
const ENTRY_BYTES = 46
export const LOCAL_BYTES = 30

const invalid = (cause: string) =>
  new ArchiveInvalid('The uploaded file is not a valid zip archive.', {
    remediation: 'Upload an archive that a unit has exported.',
    details: { cause },
  })

/** Finds the directory. @param tail the last bytes of the file, `MAX_END_BYTES` or all of it. @param fileBytes length of the file
 * @throws ArchiveInvalid. Source: PKWARE APPNOTE 4.3.16; ZIP64 and archives in several files are not read. */
export function decodeEnd(tail: Buffer, fileBytes: number): DirectoryPlace {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue
    const [disk, first, here, entries] = [4, 6, 8, 10].map((field) => tail.readUInt16LE(at + field))
    const [bytes = 0, offset = 0] = [12, 16].map((field) => tail.readUInt32LE(at + field))
    if (disk !== 0 || first !== 0 || here !== entries) throw invalid('It is split into several files.')
    if (entries === 0xffff || bytes === 0xffffffff || offset === 0xffffffff) throw invalid('It is in the format ZIP64.')
    if (offset + bytes > fileBytes - (tail.length - at)) throw invalid('Its directory is cut off.')
    return { offset, bytes, entries: entries ?? 0 }
  }
  throw invalid('It has no directory of a zip archive.')
}

/** @throws ArchiveInvalid. Source: PKWARE APPNOTE 4.3.12. */
export function decodeEntries(directory: Buffer, count: number): readonly ZipEntry[] {
  const entries: ZipEntry[] = []
  let at = 0
  while (entries.length < count) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw invalid('Its directory is damaged.')
    }
    const [system = 0] = [directory[at + 5]]
    const [flags = 0, method = 0, nameBytes = 0, extraBytes = 0, commentBytes = 0] = [8, 10, 28, 30, 32].map((field) =>
      directory.readUInt16LE(at + field),
    )
    const [crc = 0, compressedBytes = 0, bytes = 0, attributes = 0, offset = 0] = [16, 20, 24, 38, 42].map((field) =>
      directory.readUInt32LE(at + field),
    )
    const end = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes
    if (end > directory.length) throw invalid('Its directory is damaged.')
    if ((flags & 1) !== 0) throw invalid('It is encrypted.')
    if (method !== 0 && method !== 8) throw invalid('It is compressed in a way that is not known.')
    if ([compressedBytes, bytes, offset].includes(0xffffffff)) throw invalid('It is in the format ZIP64.')
    if (method === 0 && bytes !== compressedBytes) throw invalid('Its directory contradicts itself.')
    const name = nameOf(directory.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes))
    entries.push({
      name,
      isDirectory: name.endsWith('/'),
      // Made on Unix or macOS, or by a program that tells a mode all the same.
      mode: [3, 19].includes(system) || attributes >>> 16 !== 0 ? attributes >>> 16 : 0,
      method: method === 0 ? 'stored' : 'deflated',
      ...{ crc, compressedBytes, bytes, offset },
    })
    at = end
  }
  return entries
}

function nameOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid('A name in it is not UTF-8.')
  }
}

/** Where the content of an entry begins. @param header `LOCAL_BYTES` at its offset @throws ArchiveInvalid */
export function contentOffset(header: Buffer, { offset }: ZipEntry): number {
  if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== 0x04034b50) throw invalid('An entry of it is damaged.')
  return offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
}

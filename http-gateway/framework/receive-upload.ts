import type { Request } from 'express'
import { RequestTooLarge } from './errors.js'

interface UploadOptions {
  /** Name of the part that is the file. */
  readonly field: string
  readonly maxBytes: number
}

const MAX_HEADER_BYTES = 16 * 1024
const END_OF_LINE = '\r\n'

/** Reads the file of a form (`multipart/form-data`) as it comes; no more than a few buffers are in memory. Other parts are skipped.
 * @param put takes the next piece of the file
 * @returns false when the form has no such file, or more than one, is cut off, or is no form
 * @throws RequestTooLarge */
export async function receiveUpload(
  request: Request,
  { field, maxBytes }: UploadOptions,
  put: (piece: Uint8Array) => Promise<void>,
): Promise<boolean> {
  const boundary = boundaryOf(request.get('content-type') ?? '')
  const parts = boundary === null ? null : new Parts(boundary, field)
  let received = 0
  try {
    // What is refused is read to its end, so that the answer gets there.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length
      if (received > maxBytes) throw new RequestTooLarge(`The body is larger than ${maxBytes} bytes.`)
      for (const piece of parts?.take(chunk) ?? []) await put(piece)
    }
  } catch (error) {
    request.resume()
    throw error
  }
  return parts?.isWhole === true && parts.files === 1
}

/** Source: RFC 2046, 5.1.1. */
function boundaryOf(contentType: string): string | null {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) return null
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  return quoted ?? plain ?? null
}

/** Cuts the bytes of a form into what belongs to the file. */
class Parts {
  readonly #delimiter: Buffer
  readonly #field: string
  #place: 'content' | 'delimiter' | 'headers' | 'end' = 'content'
  #isFile = false
  /** The first delimiter needs no end of line before it. */
  #pending = Buffer.from(END_OF_LINE)
  files = 0

  constructor(boundary: string, field: string) {
    this.#delimiter = Buffer.from(`${END_OF_LINE}--${boundary}`)
    this.#field = field
  }

  /** Whether the last part was closed. */
  get isWhole(): boolean {
    return this.#place === 'end'
  }

  /** @returns the bytes of the file in this chunk, and of the one before that could have been a delimiter */
  take(chunk: Buffer): readonly Buffer[] {
    this.#pending = Buffer.concat([this.#pending, chunk])
    const pieces: Buffer[] = []
    while (this.#step(pieces));
    return pieces
  }

  /** @returns whether there may be more to do with what is at hand */
  #step(pieces: Buffer[]): boolean {
    if (this.#place === 'end') {
      this.#pending = Buffer.alloc(0)
      return false
    }
    if (this.#place === 'content') return this.#content(pieces)
    if (this.#place === 'delimiter') {
      if (this.#pending.length < 2) return false
      this.#place = this.#pending.toString('latin1', 0, 2) === '--' ? 'end' : 'headers'
      return true
    }
    const end = this.#pending.indexOf(END_OF_LINE + END_OF_LINE)
    if (end === -1 || end > MAX_HEADER_BYTES) {
      if (this.#pending.length > MAX_HEADER_BYTES) throw new RequestTooLarge('A part of the form has too long headers.')
      return false
    }
    this.#isFile = this.#isOurs(this.#pending.toString('utf8', 0, end))
    if (this.#isFile) this.files += 1
    // The content of an empty part is followed by the end of line of the next delimiter.
    this.#pending = this.#pending.subarray(end + 2 * END_OF_LINE.length)
    this.#place = 'content'
    return true
  }

  #content(pieces: Buffer[]): boolean {
    const at = this.#pending.indexOf(this.#delimiter)
    const length = at === -1 ? Math.max(0, this.#pending.length - this.#delimiter.length + 1) : at
    if (this.#isFile && this.files === 1 && length > 0) pieces.push(this.#pending.subarray(0, length))
    this.#pending = this.#pending.subarray(at === -1 ? length : at + this.#delimiter.length)
    if (at === -1) return false
    this.#isFile = false
    this.#place = 'delimiter'
    return true
  }

  #isOurs(headers: string): boolean {
    const disposition = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(headers)?.[1] ?? ''
    const value = (name: string): string =>
      new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;"]*))`, 'i').exec(disposition)?.slice(1).find(Boolean) ?? ''
    return value('name') === this.#field && value('filename') !== ''
  }
}

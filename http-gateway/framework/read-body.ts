import type { IncomingMessage } from 'node:http'
import { RequestTooLarge } from './errors.js'

/** The whole request body. What is refused is read to its end and not kept.
 * @param take counts what is kept; throws when it is too much.
 * @throws RequestTooLarge */
export function readBody(request: IncomingMessage, limit: number, take: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const keep = (chunk: Buffer): void => {
      if (bytes > limit) throw new RequestTooLarge(`The body is larger than ${limit} bytes.`)
      take(chunk.length)
      chunks.push(chunk)
    }
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      try {
        keep(chunk)
      } catch (error) {
        request.off('data', onData).resume()
        chunks.length = 0
        reject(error)
      }
    }
    request.on('data', onData)
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

/** Reads a body that nothing is done with. An answer that is sent before would be cut off where the client asked for the connection to be
 * closed: closing one with unread bytes resets it.
 * @throws RequestTooLarge */
export async function skipBody(request: IncomingMessage, limit: number): Promise<void> {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  if (length === '0' && encoding === undefined) return
  await readBody(request, limit, () => undefined)
}

/** Why bytes are not JSON: cut off, or wrong at a place. */
export interface JsonFault {
  readonly truncated: boolean
  readonly detail: string
  /** Offset in characters, where known. */
  readonly at: number | null
}

/** Deeper nesting has no use and could exhaust the stack of code that walks the value. */
const MAX_DEPTH = 64

/** Bytes → JSON value, or what is wrong with them. Total. */
export function decodeJson(bytes: Uint8Array): { readonly value: unknown } | { readonly fault: JsonFault } {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { fault: { truncated: false, detail: 'invalid UTF-8', at: null } }
  }
  if (text.trim() === '') return { fault: { truncated: true, detail: 'empty', at: 0 } }
  try {
    const value: unknown = JSON.parse(text)
    if (isDeeper(value, MAX_DEPTH)) return { fault: { truncated: false, detail: 'nested too deeply', at: null } }
    return { value }
  } catch (error) {
    return { fault: faultOf(error instanceof Error ? error.message : '', text) }
  }
}

function faultOf(message: string, text: string): JsonFault {
  const place = /at position (\d+)/.exec(message)?.[1]
  const at = place === undefined ? null : Number(place)
  const truncated = /^Unexpected end|^Unterminated/.test(message) || (at !== null && at >= text.trimEnd().length)
  const detail = (
    /^Unexpected token/.test(message) ? 'unexpected token' : message.replace(/ in JSON.*$/, '')
  ).toLowerCase()
  return { truncated, detail, at }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1))
}

import { connect } from 'node:net'
import type { FuzzedRequest } from './requests.js'

export interface FuzzAnswer {
  /** Null when the connection was closed without an answer. */
  readonly status: number | null
  readonly headers: string
  readonly body: string
}

/** The longest that anything but a question to a share may take. */
const TIMEOUT_MS = 15_000
/** The services give up on a share after 25 s; two questions may wait for each other. */
const SHARE_TIMEOUT_MS = 70_000

/** Sends a request byte by byte as it stands, on a connection of its own. @throws Error when there is no end of the answer. */
export function sendFuzzed(port: number, request: FuzzedRequest): Promise<FuzzAnswer> {
  const { target } = request
  const timeoutMs = target.startsWith('/nas') ? SHARE_TIMEOUT_MS : TIMEOUT_MS
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(encodeRequest(request))
      // Who announces more than it sends goes away in the middle.
      if (request.length !== null || request.headers.some((header) => /^(content-length|transfer)/i.test(header)))
        socket.end()
    })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end of the answer after ${timeoutMs} ms`))
    }, timeoutMs)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(decodeAnswer(Buffer.concat(chunks)))
    })
  })
}

function encodeRequest({ method, target, headers, body, length }: FuzzedRequest): Buffer {
  const own = headers.map((header) => header.split(':')[0]?.toLowerCase())
  const usual = [
    ...(own.includes('host') ? [] : ['Host: localhost']),
    ...(own.includes('connection') ? [] : ['Connection: close']),
    ...(body.length === 0 || own.includes('content-length') || own.includes('transfer-encoding')
      ? []
      : [`Content-Length: ${length ?? body.length}`]),
  ]
  const head = [`${method} ${target} HTTP/1.1`, ...usual, ...headers, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

/** The first answer that is final; what the server makes of the rest of the bytes may follow it. */
function decodeAnswer(bytes: Buffer): FuzzAnswer {
  const text = bytes.toString('latin1').replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
  const end = text.indexOf('\r\n\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]
  if (status === undefined || end === -1) return { status: null, headers: '', body: text }
  const headers = text.slice(0, end)
  const length = /^content-length: (\d+)$/im.exec(headers)?.[1]
  const content = text.slice(end + 4)
  const body = Buffer.from(length === undefined ? content : content.slice(0, Number(length)), 'latin1').toString()
  return { status: Number(status), headers, body }
}

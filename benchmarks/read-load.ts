import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type Latency, latencyOf } from './quantiles.js'

export interface Reads {
  readonly port: number
  readonly path: string
  /** Each has one request under way. */
  readonly connections: number
  readonly seconds: number
}

export interface ReadFigures extends Latency {
  readonly perSecond: number
  readonly maxMs: number
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** Asks the same again and again over connections that stay open. @throws Error when an answer is not 2xx, or has no length. */
export async function reads({ port, path, connections, seconds }: Reads): Promise<ReadFigures> {
  const times: number[] = []
  const endMs = performance.now() + 1000 * seconds
  const startMs = performance.now()
  await Promise.all(Array.from({ length: connections }, () => askUntil(port, path, endMs, times)))
  const tookMs = performance.now() - startMs
  return { perSecond: (1000 * times.length) / tookMs, maxMs: Math.max(...times), ...latencyOf(times) }
}

/** One connection. Knows of HTTP only what it needs, so that it costs little beside the server. */
function askUntil(port: number, path: string, endMs: number, times: number[]): Promise<void> {
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  return new Promise((resolve, reject) => {
    let sentMs = 0
    let missing = 0
    let head = Buffer.alloc(0)
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const ask = (): void => {
      sentMs = performance.now()
      socket.write(request)
    }
    const answered = (): void => {
      times.push(performance.now() - sentMs)
      if (performance.now() < endMs) ask()
      else {
        socket.destroy()
        resolve()
      }
    }
    socket.on('connect', ask)
    socket.on('error', reject)
    socket.on('data', (chunk: Buffer) => {
      if (missing > 0) {
        missing -= chunk.length
        if (missing === 0) answered()
        return
      }
      head = Buffer.concat([head, chunk])
      const end = head.indexOf(HEAD_END)
      if (end === -1) return
      const text = head.toString('latin1', 0, end)
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
      if (!/^HTTP\/1\.1 2/.test(text) || length === undefined) {
        socket.destroy()
        return reject(new Error(`${path}: ${text.split('\r\n')[0]}, ${length ?? 'no'} bytes`))
      }
      missing = end + HEAD_END.length + Number(length) - head.length
      head = Buffer.alloc(0)
      if (missing === 0) answered()
    })
  })
}

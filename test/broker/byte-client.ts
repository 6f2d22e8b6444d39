import { connect as connectTcp } from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.js'

/** A connection that sends bytes, whatever they are. */
export interface ByteClient {
  send(bytes: Uint8Array): void
  /** Everything received so far. */
  received(): Buffer
  /** Waits until at least so many bytes have come. @returns everything received */
  answer(bytes: number): Promise<Buffer>
  /** Resolves when the broker has closed the connection. @returns everything received */
  closed(): Promise<Buffer>
  destroy(): void
}

export async function openBytes(
  ports: { readonly port: number; readonly wsPort: number },
  webSocket = false,
): Promise<ByteClient> {
  const chunks: Buffer[] = []
  const onChunk = (chunk: Buffer): unknown => chunks.push(chunk)
  const { send, destroy, gone } = await (webSocket
    ? openWebSocket(ports.wsPort, onChunk)
    : openTcp(ports.port, onChunk))
  onTestFinished(destroy)
  const received = (): Buffer => Buffer.concat(chunks)
  return {
    send,
    received,
    answer: (bytes) =>
      eventually(() => {
        if (received().length < bytes) throw new Error(`${received().length} of ${bytes} bytes came`)
        return received()
      }),
    closed: () => gone.then(received),
    destroy,
  }
}

interface Transport {
  send(bytes: Uint8Array): void
  destroy(): void
  readonly gone: Promise<void>
}

async function openTcp(port: number, onChunk: (chunk: Buffer) => unknown): Promise<Transport> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  socket.on('data', onChunk)
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return { send: (bytes) => socket.write(bytes), destroy: () => socket.destroy(), gone }
}

async function openWebSocket(port: number, onChunk: (chunk: Buffer) => unknown): Promise<Transport> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt')
  socket.on('error', () => undefined)
  socket.on('message', onChunk)
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => socket.once('open', () => resolve()))
  return { send: (bytes) => socket.send(bytes), destroy: () => socket.terminate(), gone }
}

import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { connect, FRAME_BYTES, writePublish } from './wire.js'

export interface Flood {
  readonly port: number
  readonly connections: number
  /** Publishes each connection may leave unacknowledged. */
  readonly inFlight: number
  /** Over all connections, at most. */
  readonly messages: number
  /** A slow broker gets fewer messages: nothing is sent after so long. */
  readonly limitMs: number
}

/** Publishes as fast as acknowledgements allow. @returns acknowledged messages per second */
export async function flood({ port, connections, inFlight, messages, limitMs }: Flood): Promise<number> {
  const share = Math.ceil(messages / connections)
  const publishers = await Promise.all(
    Array.from({ length: connections }, (_, index) => openPublisher(port, index, inFlight, share)),
  )
  const startMs = performance.now()
  const acknowledged = await Promise.all(publishers.map((publisher) => publisher.run(startMs + limitMs)))
  const seconds = (performance.now() - startMs) / 1000
  for (const { socket } of publishers) socket.destroy()
  return acknowledged.reduce((sum, count) => sum + count, 0) / seconds
}

async function openPublisher(port: number, index: number, inFlight: number, share: number) {
  let sent = 0
  let acknowledged = 0
  let waiting = 0
  let endMs = 0
  let finish: (count: number) => void = () => undefined
  const socket: Socket = await connect(port, `flood-${index}`, () => {
    acknowledged++
    waiting++
    // What one chunk acknowledges is replaced by one write.
    if (waiting === 1) queueMicrotask(refill)
  })
  function send(count: number): void {
    const frames = Buffer.allocUnsafe(count * FRAME_BYTES)
    for (let at = 0; at < frames.length; at += FRAME_BYTES) writePublish(frames, at, index, sent++)
    socket.write(frames)
  }
  function refill(): void {
    const free = waiting
    waiting = 0
    if (performance.now() < endMs && sent < share) send(Math.min(free, share - sent))
    else if (acknowledged === sent) finish(acknowledged)
  }
  return {
    socket,
    run(until: number): Promise<number> {
      endMs = until
      return new Promise((resolve, reject) => {
        finish = resolve
        socket.once('close', () => reject(new Error('the broker closed a publisher')))
        send(Math.min(inFlight, share))
      })
    },
  }
}

import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { generate, type Packet } from 'mqtt-packet'
import { type Latency, latencyOf } from './quantiles.js'
import { connect, FILTER, FRAME_BYTES, messageIdOf, writePublish } from './wire.js'

export interface Paced {
  readonly port: number
  readonly connections: number
  /** Over all connections. */
  readonly messagesPerSecond: number
  readonly seconds: number
}

/** From the write of a message: to its PUBACK, and to a subscriber of everything. Infinite for what did not come in time. */
export interface Latencies {
  readonly acknowledged: Latency
  readonly delivered: Latency
  /** From the time a message was due to its write: the generator itself had no processor. */
  readonly late: Latency
}

/** How long after the last message the acknowledgements and deliveries may take. */
const GRACE_MS = 2000

/** Publishes at a steady rate whatever the broker does, in turn over the connections, and times what comes back. All clocks are this
 * process's. */
export async function paced({ port, connections, messagesPerSecond, seconds }: Paced): Promise<Latencies> {
  const total = messagesPerSecond * seconds
  const sentMs = new Float64Array(total)
  const acknowledged = new Float64Array(total).fill(Number.POSITIVE_INFINITY)
  const delivered = new Float64Array(total).fill(Number.POSITIVE_INFINITY)
  const late = new Float64Array(total)
  let outstanding = 2 * total
  const note = (figures: Float64Array, sequence: number): void => {
    figures[sequence] = performance.now() - (sentMs[sequence] ?? Number.NaN)
    outstanding--
  }
  const subscriber = await openSubscriber(port, (sequence) => note(delivered, sequence))
  const publishers = await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const sequences = new Map<number, number>()
      const socket = await connect(port, `paced-${index}`, ({ cmd, messageId }) => {
        if (cmd === 'puback') note(acknowledged, sequences.get(messageId ?? 0) ?? 0)
      })
      return { socket, index, sequences }
    }),
  )
  const startMs = performance.now()
  for (let sequence = 0; sequence < total; ) {
    const due = Math.min(total, Math.ceil(((performance.now() - startMs) * messagesPerSecond) / 1000))
    for (; sequence < due; sequence++) {
      const publisher = publishers[sequence % connections]
      if (publisher === undefined) break
      const frame = Buffer.allocUnsafe(FRAME_BYTES)
      writePublish(frame, 0, publisher.index, sequence)
      publisher.sequences.set(messageIdOf(sequence), sequence)
      const nowMs = performance.now()
      sentMs[sequence] = nowMs
      late[sequence] = nowMs - startMs - (sequence * 1000) / messagesPerSecond
      publisher.socket.write(frame)
    }
    await delay(1)
  }
  const endMs = performance.now() + GRACE_MS
  while (outstanding > 0 && performance.now() < endMs) await delay(5)
  for (const { socket } of [...publishers, { socket: subscriber }]) socket.destroy()
  return { acknowledged: latencyOf(acknowledged), delivered: latencyOf(delivered), late: latencyOf(late) }
}

/** Subscribes to everything of the bench with QoS 1; retained values of an earlier run do not count. */
async function openSubscriber(port: number, onMessage: (sequence: number) => void) {
  const socket = await connect(port, 'paced-subscriber', (packet: Packet) => {
    if (packet.cmd === 'suback') socket.emit('suback')
    if (packet.cmd !== 'publish') return
    if (packet.qos > 0) socket.write(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }))
    if (!packet.retain) onMessage(Number(packet.payload.toString()))
  })
  const subscribed = once(socket, 'suback')
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: FILTER, qos: 1 }] }))
  await subscribed
  return socket
}

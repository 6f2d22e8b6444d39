import type { NewEvent, Qos } from '../events/event.js'

/** Events in the form that crosses to the writer's thread: strings once, all bytes in transferable arrays. */
export interface Batch {
  /** ms UTC */
  readonly recordedAt: number
  readonly topics: readonly string[]
  readonly clients: readonly string[]
  /** Per event `qos | retain << 2`. */
  readonly flags: Uint8Array<ArrayBuffer>
  /** Per event the end of its payload in `payloads`. */
  readonly ends: Uint32Array<ArrayBuffer>
  readonly payloads: Uint8Array<ArrayBuffer>
}

const RETAIN = 4

/** Copies the events, so that the batch can be transferred and the events kept for another attempt. */
export function packBatch(events: readonly NewEvent[], recordedAt: number): Batch {
  const flags = new Uint8Array(events.length)
  const ends = new Uint32Array(events.length)
  let size = 0
  for (let i = 0; i < events.length; i++) size += events[i]?.payload.length ?? 0
  const payloads = new Uint8Array(size)
  const topics: string[] = []
  const clients: string[] = []
  let end = 0
  let index = 0
  for (const { topic, payload, qos, retain, client } of events) {
    topics.push(topic)
    clients.push(client)
    flags[index] = retain ? qos | RETAIN : qos
    payloads.set(payload, end)
    end += payload.length
    ends[index++] = end
  }
  return { recordedAt, topics, clients, flags, ends, payloads }
}

/** The buffers to transfer rather than copy. */
export const transferList = ({ flags, ends, payloads }: Batch): ArrayBuffer[] => [
  flags.buffer,
  ends.buffer,
  payloads.buffer,
]

/** The events of a batch, in order; payloads are views. */
export function* unpackBatch({ topics, clients, flags, ends, payloads }: Batch): Generator<NewEvent> {
  let start = 0
  for (const [index, topic] of topics.entries()) {
    const end = ends[index] ?? start
    const flag = flags[index] ?? 0
    yield {
      topic,
      payload: payloads.subarray(start, end),
      qos: (flag & 3) as Qos,
      retain: (flag & RETAIN) !== 0,
      client: clients[index] ?? '',
    }
    start = end
  }
}

import type { NewEvent, Qos } from '../events/event.js'

/** Events in the form that crosses to the writer's thread: strings once, all bytes in transferable arrays. */
export interface Batch {
  /** ms UTC */
  readonly recordedAt: number
  /** Topics and clients of all events in a row: one long string crosses faster than many short ones. */
  readonly text: string
  /** Per event the end of its topic, then that of its client, in `text`. */
  readonly textEnds: Uint32Array<ArrayBuffer>
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
  const textEnds = new Uint32Array(2 * events.length)
  let text = ''
  let end = 0
  let index = 0
  for (const { topic, payload, qos, retain, client } of events) {
    text += topic
    textEnds[2 * index] = text.length
    text += client
    textEnds[2 * index + 1] = text.length
    flags[index] = retain ? qos | RETAIN : qos
    payloads.set(payload, end)
    end += payload.length
    ends[index++] = end
  }
  return { recordedAt, text, textEnds, flags, ends, payloads }
}

/** The buffers to transfer rather than copy. */
export const transferList = ({ textEnds, flags, ends, payloads }: Batch): ArrayBuffer[] => [
  textEnds.buffer,
  flags.buffer,
  ends.buffer,
  payloads.buffer,
]

/** The events of a batch, in order; payloads are views. */
export function* unpackBatch({ text, textEnds, flags, ends, payloads }: Batch): Generator<NewEvent> {
  let start = 0
  let textStart = 0
  for (const [index, flag] of flags.entries()) {
    const end = ends[index] ?? start
    const topicEnd = textEnds[2 * index] ?? textStart
    const clientEnd = textEnds[2 * index + 1] ?? topicEnd
    yield {
      topic: text.slice(textStart, topicEnd),
      payload: payloads.subarray(start, end),
      qos: (flag & 3) as Qos,
      retain: (flag & RETAIN) !== 0,
      client: text.slice(topicEnd, clientEnd),
    }
    start = end
    textStart = clientEnd
  }
}

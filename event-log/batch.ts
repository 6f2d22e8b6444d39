import type { NewEvent, Qos, Release } from '../events/event.js'

/** What one `append` brought. */
export interface Appended {
  readonly events: readonly NewEvent[]
  readonly releases: readonly Release[]
}

/** A release comes before the event of this index in its batch. */
export interface PlacedRelease {
  readonly index: number
  readonly release: Release
}

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
  /** Per event; 0 for none. */
  readonly messageIds: Uint16Array<ArrayBuffer>
  /** Per event the end of its payload in `payloads`. */
  readonly ends: Uint32Array<ArrayBuffer>
  readonly payloads: Uint8Array<ArrayBuffer>
  readonly releases: readonly PlacedRelease[]
}

const RETAIN = 4

/** Copies the events, so that the batch can be transferred and the events kept for another attempt. */
export function packBatch(appends: readonly Appended[], recordedAt: number): Batch {
  let count = 0
  let size = 0
  for (const { events } of appends) {
    count += events.length
    for (const { payload } of events) size += payload.length
  }
  const flags = new Uint8Array(count)
  const messageIds = new Uint16Array(count)
  const ends = new Uint32Array(count)
  const payloads = new Uint8Array(size)
  const textEnds = new Uint32Array(2 * count)
  const releases: PlacedRelease[] = []
  let text = ''
  let end = 0
  let index = 0
  for (const append of appends) {
    for (const release of append.releases) releases.push({ index, release })
    for (const { topic, payload, qos, retain, client, messageId = 0 } of append.events) {
      text += topic
      textEnds[2 * index] = text.length
      text += client
      textEnds[2 * index + 1] = text.length
      flags[index] = retain ? qos | RETAIN : qos
      messageIds[index] = messageId
      payloads.set(payload, end)
      end += payload.length
      ends[index++] = end
    }
  }
  return { recordedAt, text, textEnds, flags, messageIds, ends, payloads, releases }
}

/** The buffers to transfer rather than copy. */
export const transferList = ({ textEnds, flags, messageIds, ends, payloads }: Batch): ArrayBuffer[] => [
  textEnds.buffer,
  flags.buffer,
  messageIds.buffer,
  ends.buffer,
  payloads.buffer,
]

/** An event of a batch; `messageId` is 0 for none. */
export type BatchEvent = NewEvent & { readonly messageId: number }

/** The events of a batch, in order; payloads are views. */
export function* unpackBatch({ text, textEnds, flags, messageIds, ends, payloads }: Batch): Generator<BatchEvent> {
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
      messageId: messageIds[index] ?? 0,
    }
    start = end
    textStart = clientEnd
  }
}

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

/** Events in the form that crosses to the writer's thread: all text in one string and everything else in one array, because each thing
 * that crosses costs as much as twenty events. */
export interface Batch {
  /** ms UTC */
  readonly recordedAt: number
  /** Events. */
  readonly count: number
  /** Topic and client of each event, one after the other. */
  readonly text: string
  /** `Layout` */
  readonly bytes: ArrayBuffer
  readonly releases: readonly PlacedRelease[]
}

/** What `Batch.bytes` holds, in this order. */
interface Layout {
  /** Per event where its topic and its client end in the text, and its payload in `payloads`. */
  readonly ends: Uint32Array
  /** Per event; 0 for none. */
  readonly messageIds: Uint16Array
  /** Per event `qos | retain << 2`. */
  readonly flags: Uint8Array
  readonly payloads: Uint8Array
}

const RETAIN = 4
const ENDS_BYTES = 3 * 4
const HEAD_BYTES = ENDS_BYTES + 2 + 1

const layoutOf = (bytes: ArrayBuffer, count: number): Layout => ({
  ends: new Uint32Array(bytes, 0, 3 * count),
  messageIds: new Uint16Array(bytes, ENDS_BYTES * count, count),
  flags: new Uint8Array(bytes, (ENDS_BYTES + 2) * count, count),
  payloads: new Uint8Array(bytes, HEAD_BYTES * count),
})

/** The payloads of a batch, one after the other. */
export const payloadsOf = ({ bytes, count }: Batch): Uint8Array => layoutOf(bytes, count).payloads

/** Copies the events, so that the batch can be transferred and the events kept for another attempt. */
export function packBatch(appends: readonly Appended[], recordedAt: number): Batch {
  let count = 0
  let size = 0
  for (const { events } of appends) {
    count += events.length
    for (const { payload } of events) size += payload.length
  }
  const bytes = new ArrayBuffer(HEAD_BYTES * count + size)
  const { ends, messageIds, flags, payloads } = layoutOf(bytes, count)
  const releases: PlacedRelease[] = []
  let text = ''
  let end = 0
  let index = 0
  for (const append of appends) {
    for (const release of append.releases) releases.push({ index, release })
    for (const { topic, payload, qos, retain, client, messageId = 0 } of append.events) {
      text += topic
      ends[3 * index] = text.length
      text += client
      ends[3 * index + 1] = text.length
      payloads.set(payload, end)
      end += payload.length
      ends[3 * index + 2] = end
      flags[index] = retain ? qos | RETAIN : qos
      messageIds[index++] = messageId
    }
  }
  return { recordedAt, count, text, bytes, releases }
}

/** An event of a batch; `messageId` is 0 for none. */
export type BatchEvent = NewEvent & { readonly messageId: number }

/** The events of a batch, in order; payloads are views. */
export function unpackBatch({ text, bytes, count }: Batch): readonly BatchEvent[] {
  const { ends, messageIds, flags, payloads } = layoutOf(bytes, count)
  const events: BatchEvent[] = []
  let textStart = 0
  let start = 0
  for (let index = 0; index < count; index++) {
    const topicEnd = ends[3 * index] ?? textStart
    const clientEnd = ends[3 * index + 1] ?? topicEnd
    const end = ends[3 * index + 2] ?? start
    const flag = flags[index] ?? 0
    events.push({
      topic: text.slice(textStart, topicEnd),
      payload: payloads.subarray(start, end),
      qos: (flag & 3) as Qos,
      retain: (flag & RETAIN) !== 0,
      client: text.slice(topicEnd, clientEnd),
      messageId: messageIds[index] ?? 0,
    })
    textStart = clientEnd
    start = end
  }
  return events
}

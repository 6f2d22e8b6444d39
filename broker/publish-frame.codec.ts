import type { Qos } from '../events/event.js'

export interface PublishFrame {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  /** Packet identifier, 1 … 65535; unused with QoS 0. */
  readonly messageId: number
}

/** Bytes of a PUBLISH packet, MQTT 3.1.1 §3.3. */
export function encodePublish({ topic, payload, qos, retain, dup, messageId }: PublishFrame): Buffer {
  const topicLength = Buffer.byteLength(topic)
  const remaining = 2 + topicLength + (qos > 0 ? 2 : 0) + payload.length
  const frame = Buffer.allocUnsafe(1 + lengthBytes(remaining) + remaining)
  frame[0] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = writeLength(frame, remaining)
  at = frame.writeUInt16BE(topicLength, at)
  at += frame.write(topic, at)
  if (qos > 0) at = frame.writeUInt16BE(messageId, at)
  frame.set(payload, at)
  return frame
}

/** Bytes of a PUBREL packet, MQTT 3.1.1 §3.6. */
export const encodePubrel = (messageId: number): Buffer => Buffer.of(0x62, 2, messageId >> 8, messageId & 0xff)

/** Bytes the variable-length number takes (§2.2.3). */
const lengthBytes = (length: number): number => (length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4)

function writeLength(frame: Buffer, length: number): number {
  let at = 1
  let rest = length
  while (rest > 127) {
    frame[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  frame[at++] = rest
  return at
}

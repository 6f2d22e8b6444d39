import type { Qos } from '../events/event.js'
import { isTopicName } from '../events/topic.js'
import { isQos } from './message.js'
import { bodyStart, decodeText } from './packet-fields.codec.js'
import { lengthBytes, writeLength } from './packet-length.codec.js'
import { ProtocolViolation } from './protocol-violation.js'

export interface PublishFrame {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  /** Packet identifier, 1 … 65535; unused with QoS 0. */
  readonly messageId: number
}

/** First byte of the acknowledgements a publisher gets, MQTT 3.1.1 §2.2.1. */
export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBCOMP = 0x70

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

/** The whole PUBLISH packet in `bytes[from, to)`; the payload is a view.
 * @throws ProtocolViolation */
export function decodePublish(bytes: Buffer, from = 0, to = bytes.length): PublishFrame {
  const flags = bytes[from] ?? 0
  const qos = (flags >> 1) & 3
  const dup = (flags & 8) !== 0
  if (!isQos(qos)) throw new ProtocolViolation('a PUBLISH packet with QoS 3', '3.3.1-4')
  if (dup && qos === 0) throw new ProtocolViolation('a PUBLISH packet of QoS 0 marked as a repetition', '3.3.1-2')
  const at = bodyStart(bytes, from)
  if (at + 2 > to) throw new ProtocolViolation('a PUBLISH packet without a topic')
  const topicEnd = at + 2 + bytes.readUInt16BE(at)
  const payloadAt = qos > 0 ? topicEnd + 2 : topicEnd
  if (payloadAt > to) throw new ProtocolViolation('a PUBLISH packet that ends within its topic or identifier')
  const messageId = qos > 0 ? bytes.readUInt16BE(topicEnd) : 0
  if (qos > 0 && messageId === 0) throw new ProtocolViolation('a PUBLISH packet with identifier 0', '2.3.1-1')
  const topic = decodeText(bytes, at + 2, topicEnd, 'a PUBLISH packet whose topic')
  if (!isTopicName(topic)) throw new ProtocolViolation('a PUBLISH packet whose topic is empty or has + or #', '3.3.2-2')
  return { topic, payload: bytes.subarray(payloadAt, to), qos, retain: (flags & 1) !== 0, dup, messageId }
}

/** Bytes of a PUBREL packet, MQTT 3.1.1 §3.6. */
export const encodePubrel = (messageId: number): Buffer => Buffer.of(0x62, 2, messageId >> 8, messageId & 0xff)

/** Bytes of acknowledgements in a row. @param answers `type, identifier` of each. */
export function encodeAcknowledgements(answers: readonly number[]): Buffer {
  const frames = Buffer.allocUnsafe(2 * answers.length)
  for (let i = 0; i < answers.length; i += 2) {
    const messageId = answers[i + 1] ?? 0
    frames[2 * i] = answers[i] ?? 0
    frames[2 * i + 1] = 2
    frames[2 * i + 2] = messageId >> 8
    frames[2 * i + 3] = messageId & 0xff
  }
  return frames
}

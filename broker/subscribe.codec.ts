import type { Qos } from '../events/event.js'
import { isTopicFilter } from '../events/topic.js'
import { isQos } from './message.js'
import { PacketFields } from './packet-fields.codec.js'
import { lengthBytes, writeLength } from './packet-length.codec.js'
import { ProtocolViolation } from './protocol-violation.js'

export interface SubscriptionRequest {
  readonly filter: string
  readonly qos: Qos
}

export interface SubscribePacket {
  readonly messageId: number
  /** As many as were sent, repeated ones too: each is answered [MQTT-3.8.4-5]. */
  readonly requests: readonly SubscriptionRequest[]
}

export interface UnsubscribePacket {
  readonly messageId: number
  readonly filters: readonly string[]
}

/** A SUBSCRIBE packet, MQTT 3.1.1 §3.8. @throws ProtocolViolation */
export function decodeSubscribe(packet: Buffer): SubscribePacket {
  const fields = new PacketFields(packet, 'SUBSCRIBE')
  const messageId = fields.identifier()
  const requests: SubscriptionRequest[] = []
  while (!fields.atEnd) {
    const filter = readFilter(fields, 'SUBSCRIBE')
    const qos = fields.byte('requested QoS')
    if (!isQos(qos)) throw new ProtocolViolation(`a SUBSCRIBE packet that asks for QoS ${qos}`, '3-8.3-4')
    requests.push({ filter, qos })
  }
  if (requests.length === 0) throw new ProtocolViolation('a SUBSCRIBE packet without a filter', '3.8.3-3')
  return { messageId, requests }
}

/** An UNSUBSCRIBE packet, MQTT 3.1.1 §3.10. @throws ProtocolViolation */
export function decodeUnsubscribe(packet: Buffer): UnsubscribePacket {
  const fields = new PacketFields(packet, 'UNSUBSCRIBE')
  const messageId = fields.identifier()
  const filters: string[] = []
  while (!fields.atEnd) filters.push(readFilter(fields, 'UNSUBSCRIBE'))
  if (filters.length === 0) throw new ProtocolViolation('an UNSUBSCRIBE packet without a filter', '3.10.3-2')
  return { messageId, filters }
}

function readFilter(fields: PacketFields, name: string): string {
  const filter = fields.text('filter')
  if (filter === '') throw new ProtocolViolation(`a packet ${name} with an empty filter`, '4.7.3-1')
  if (!isTopicFilter(filter)) {
    throw new ProtocolViolation(
      `a packet ${name} whose filter has + or # beside other characters, or # before its end`,
      '4.7.1-2',
    )
  }
  return filter
}

/** Return code of a filter that is not granted. */
export const SUBSCRIPTION_REFUSED = 0x80

/** Bytes of a SUBACK packet, MQTT 3.1.1 §3.9. @param granted return code of each filter */
export function encodeSuback(messageId: number, granted: readonly number[]): Buffer {
  const remaining = 2 + granted.length
  const frame = Buffer.allocUnsafe(1 + lengthBytes(remaining) + remaining)
  frame[0] = 0x90
  frame.set(granted, frame.writeUInt16BE(messageId, writeLength(frame, remaining)))
  return frame
}

/** Bytes of an UNSUBACK packet, MQTT 3.1.1 §3.11. */
export const encodeUnsuback = (messageId: number): Buffer => Buffer.of(0xb0, 2, messageId >> 8, messageId & 0xff)

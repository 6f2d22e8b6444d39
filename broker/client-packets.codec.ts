import { PacketFields } from './packet-fields.codec.js'
import type { PacketRange } from './packet-stream.js'
import { ProtocolViolation } from './protocol-violation.js'
import { decodePublish, type PublishFrame } from './publish-frame.codec.js'
import { decodeSubscribe, decodeUnsubscribe, type SubscribePacket, type UnsubscribePacket } from './subscribe.codec.js'

/** What a client may send once it is connected. Identifiers are 1 … 65535. */
export interface PacketHandler {
  publish(frame: PublishFrame): void
  puback(messageId: number): void
  pubrec(messageId: number): void
  pubrel(messageId: number): void
  pubcomp(messageId: number): void
  subscribe(packet: SubscribePacket): void
  unsubscribe(packet: UnsubscribePacket): void
  pingreq(): void
  disconnect(): void
}

/** First bytes, MQTT 3.1.1 §2.2: the type, and flags that are fixed for all but PUBLISH. */
const PUBLISH_TYPE = 3
const PUBACK = 0x40
const PUBREC = 0x50
const PUBREL = 0x62
const PUBCOMP = 0x70
const SUBSCRIBE = 0x82
const UNSUBSCRIBE = 0xa2
const PINGREQ = 0xc0
const DISCONNECT = 0xe0

/** In MQTT 3.1 these may be repeated and say so. */
const REPEATABLE = [PUBREL, SUBSCRIBE, UNSUBSCRIBE]
const DUP = 8

export const typeOf = (first: number): number => first >> 4

/** Decodes a whole packet and hands it on.
 * @param version protocol level of the connection
 * @throws ProtocolViolation */
export function handlePacket({ bytes, from, to }: PacketRange, version: number, handler: PacketHandler): void {
  const first = bytes[from] ?? 0
  if (typeOf(first) === PUBLISH_TYPE) {
    handler.publish(decodePublish(bytes, from, to))
    return
  }
  const packet = bytes.subarray(from, to)
  switch (version === 3 && REPEATABLE.includes(first & ~DUP) ? first & ~DUP : first) {
    case PUBACK:
      handler.puback(identifierOf(packet, 'PUBACK'))
      break
    case PUBREC:
      handler.pubrec(identifierOf(packet, 'PUBREC'))
      break
    case PUBREL:
      handler.pubrel(identifierOf(packet, 'PUBREL'))
      break
    case PUBCOMP:
      handler.pubcomp(identifierOf(packet, 'PUBCOMP'))
      break
    case SUBSCRIBE:
      handler.subscribe(decodeSubscribe(packet))
      break
    case UNSUBSCRIBE:
      handler.unsubscribe(decodeUnsubscribe(packet))
      break
    case PINGREQ:
      new PacketFields(packet, 'PINGREQ').end()
      handler.pingreq()
      break
    case DISCONNECT:
      new PacketFields(packet, 'DISCONNECT').end()
      handler.disconnect()
      break
    default:
      throw unexpected(first)
  }
}

function identifierOf(packet: Buffer, name: string): number {
  const fields = new PacketFields(packet, name)
  const messageId = fields.identifier()
  fields.end()
  return messageId
}

function unexpected(first: number): ProtocolViolation {
  const type = typeOf(first)
  if (type === 1) return new ProtocolViolation('a second CONNECT packet', '3.1.0-2')
  const isOfServer = [0, 2, 9, 11, 13, 15].includes(type)
  if (isOfServer) return new ProtocolViolation(`a packet of type ${type}, which no client sends`)
  return new ProtocolViolation(`a packet of type ${type} with flags ${first & 15}`, '2.2.2-2')
}

import type { Qos } from '../events/event.js'
import { isTopicName } from '../events/topic.js'
import { isQos } from './message.js'
import { PacketFields } from './packet-fields.codec.js'
import { ProtocolViolation } from './protocol-violation.js'

export interface ConnectPacket {
  readonly protocolId: string
  /** 3: MQTT 3.1, 4: MQTT 3.1.1. */
  readonly protocolVersion: 3 | 4
  readonly clean: boolean
  /** Seconds; 0: none. */
  readonly keepalive: number
  readonly clientId: string
  readonly will:
    | { readonly topic: string; readonly payload: Buffer; readonly qos: Qos; readonly retain: boolean }
    | undefined
  readonly username: string | undefined
  readonly password: Buffer | undefined
}

/** Level of each protocol name that is served. */
const LEVELS = new Map([
  ['MQTT', 4],
  ['MQIsdp', 3],
] as const)

const FLAG = { reserved: 1, clean: 2, will: 4, willRetain: 32, password: 64, username: 128 } as const

/** The fields of a CONNECT packet, MQTT 3.1.1 §3.1; or `unsupported`, when the client uses another version: the rest is then unknown.
 * @throws ProtocolViolation */
export function decodeConnect(packet: Buffer): ConnectPacket | 'unsupported' {
  const fields = new PacketFields(packet, 'CONNECT')
  if (packet[0] !== 0x10) throw new ProtocolViolation('a CONNECT packet with reserved flags', '2.2.2-2')
  const protocolId = fields.text('protocol name')
  if (protocolId !== 'MQTT' && protocolId !== 'MQIsdp') {
    throw new ProtocolViolation('a CONNECT packet of another protocol', '3.1.2-1')
  }
  const protocolVersion = LEVELS.get(protocolId)
  // [MQTT-3.1.2-2]; a bridge sets the highest bit for an extension that is not served, and comes again without.
  if (protocolVersion === undefined || fields.byte('protocol level') !== protocolVersion) return 'unsupported'
  const flags = connectFlags(fields.byte('connect flags'))
  const keepalive = fields.uint16('keep alive')
  const clientId = fields.text('client identifier')
  const will = flags.will === undefined ? undefined : { ...flags.will, ...willMessage(fields) }
  // MQTT 3.1 §3.1: the flags of user name and password may be set without them.
  const mayLack = protocolVersion === 3
  const username = flags.hasUsername && !(mayLack && fields.atEnd) ? fields.text('user name') : undefined
  const password = flags.hasPassword && !(mayLack && fields.atEnd) ? fields.bytes('password') : undefined
  fields.end()
  return { protocolId, protocolVersion, clean: flags.clean, keepalive, clientId, will, username, password }
}

interface ConnectFlags {
  readonly clean: boolean
  readonly will: { readonly qos: Qos; readonly retain: boolean } | undefined
  readonly hasUsername: boolean
  readonly hasPassword: boolean
}

function connectFlags(flags: number): ConnectFlags {
  const has = (flag: number): boolean => (flags & flag) !== 0
  if (has(FLAG.reserved)) throw new ProtocolViolation('a CONNECT packet with the reserved flag', '3.1.2-3')
  const qos = (flags >> 3) & 3
  const retain = has(FLAG.willRetain)
  if (!isQos(qos)) throw new ProtocolViolation('a CONNECT packet whose will has QoS 3', '3.1.2-14')
  if (!has(FLAG.will) && qos > 0) throw new ProtocolViolation('a CONNECT packet with the QoS of no will', '3.1.2-13')
  if (!has(FLAG.will) && retain) throw new ProtocolViolation('a CONNECT packet that retains no will', '3.1.2-15')
  if (has(FLAG.password) && !has(FLAG.username)) {
    throw new ProtocolViolation('a CONNECT packet with a password and no user name', '3.1.2-22')
  }
  return {
    clean: has(FLAG.clean),
    will: has(FLAG.will) ? { qos, retain } : undefined,
    hasUsername: has(FLAG.username),
    hasPassword: has(FLAG.password),
  }
}

function willMessage(fields: PacketFields): { readonly topic: string; readonly payload: Buffer } {
  const topic = fields.text('will topic')
  if (!isTopicName(topic)) {
    throw new ProtocolViolation('a CONNECT packet whose will topic is empty or has + or #', '4.7.1-1')
  }
  return { topic, payload: fields.bytes('will message') }
}

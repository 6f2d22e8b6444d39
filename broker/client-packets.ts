import type { Client } from 'aedes'
import { MAX_PACKET_BYTES } from '../events/limits.js'
import { internals } from './aedes-internals.js'
import { handlePacket, type PacketHandler, typeOf } from './client-packets.codec.js'
import { type ConnectPacket, decodeConnect } from './connect.codec.js'
import { contain } from './containment.js'
import { PacketStream } from './packet-stream.js'
import { ProtocolViolation } from './protocol-violation.js'

const CONNECT_TYPE = 1

/** CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
const UNACCEPTABLE_VERSION = 1
export const IDENTIFIER_REJECTED = 2

/** A client id is repeated in every event it causes. */
export const MAX_CLIENT_ID_BYTES = 256

/** Takes what a client sends: every packet is checked here before anybody acts on it. Aedes gets CONNECT, decoded; all that follows
 * goes to the handler. What comes before the client is fully connected waits until it is. A malformed packet, or one above 1 MiB,
 * closes the connection.
 * @param handlerOf of a client that is connected */
export function takePackets(client: Client, handlerOf: () => PacketHandler | undefined): void {
  const { _parser: parser } = internals(client)
  const stream = new PacketStream(MAX_PACKET_BYTES)
  let begun = false
  let connectCame = false

  const handlePackets = (): void => {
    while (!client.closed && !client.conn.destroyed && (client.connected || !connectCame)) {
      const packet = stream.next()
      if (packet === undefined) return
      if (connectCame) {
        const handler = handlerOf()
        if (handler === undefined) return
        handlePacket(packet, client.version, handler)
      } else {
        connectCame = true
        connect(client, packet)
      }
      // Whole packets count, not bytes [MQTT-3.1.2-24].
      internals(client)._keepaliveTimer?.refresh()
    }
  }
  client.once('connected', () => contain(client, handlePackets))
  parser.parse = (chunk) => {
    contain(client, () => {
      // At the first byte, because the length of what is not MQTT would be waited for.
      if (!begun && typeOf(chunk) !== CONNECT_TYPE) {
        throw new ProtocolViolation('the first packet is not CONNECT', '3.1.0-1')
      }
      begun = true
      stream.push(chunk)
      handlePackets()
    })
    return 0
  }
}

function connect(client: Client, bytes: Buffer): void {
  const packet = decodeConnect(bytes)
  if (packet === 'unsupported') {
    refuse(client, UNACCEPTABLE_VERSION, 'another protocol version than MQTT 3.1.1 and 3.1')
  } else if (!isIdentified(packet)) {
    refuse(client, IDENTIFIER_REJECTED, `a client id that is too long, or empty for a session that is kept`)
  } else {
    internals(client)._parser.emit('packet', { cmd: 'connect', ...packet })
  }
}

/** Aedes would invent an id and keep a session nobody can ever come back to [MQTT-3.1.3-8]. */
function isIdentified({ protocolVersion, clientId, clean }: ConnectPacket): boolean {
  const bytes = Buffer.byteLength(clientId)
  return bytes > 0 ? bytes <= MAX_CLIENT_ID_BYTES : clean && protocolVersion === 4
}

/** Answers CONNECT with a return code and closes the connection [MQTT-3.2.2-5]. */
function refuse(client: Client, returnCode: number, reason: string): void {
  pauseReading(client)
  client.conn.end(Buffer.of(0x20, 2, 0, returnCode), () => client.emit('error', new ProtocolViolation(reason)))
}

/** The client says goodbye: its will is not published [MQTT-3.14.4-3]. */
export const sayGoodbye = (client: Client): void => {
  internals(client)._parser.emit('packet', { cmd: 'disconnect' })
}

export const pauseReading = (client: Client): void => internals(client).pause()

export const resumeReading = (client: Client): void => {
  if (!client.closed) internals(client).resume()
}

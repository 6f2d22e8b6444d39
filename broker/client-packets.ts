import type { Client } from 'aedes'
import { MAX_PACKET_BYTES } from '../events/limits.js'
import { internals } from './aedes-internals.js'
import { PacketStream } from './packet-stream.js'
import { decodePublish, type PublishFrame } from './publish-frame.codec.js'

const CONNECT = 1
const PUBLISH = 3

/** Takes PUBLISH packets out of what a client sends; Aedes gets the others. Aedes reads on only when all packets of a chunk are
 * answered: a publisher would have one chunk under way at a time, and no answer to its pings while the log waits for the disk.
 * What comes before the client is fully connected waits until it is. A malformed packet, or one above 1 MiB, closes the connection. */
export function takePublishes(client: Client, onPublish: (frame: PublishFrame) => void): void {
  const { _parser: parser } = internals(client)
  const parse = parser.parse.bind(parser)
  const stream = new PacketStream(MAX_PACKET_BYTES)
  let begun = false
  let connectCame = false

  const handlePackets = (): void => {
    while (!client.closed && !client.conn.destroyed && (client.connected || !connectCame)) {
      const packet = stream.next()
      if (packet === undefined) return
      if (client.connected && typeOf(packet) === PUBLISH) onPublish(decodePublish(packet))
      else parse(packet)
      connectCame = true
    }
  }
  const handleChunk = (): void => {
    try {
      handlePackets()
    } catch (error) {
      client.emit('error', error)
    }
    // Any packet is a sign of life [MQTT-3.1.2-24].
    if (!client.closed) internals(client)._keepaliveTimer?.refresh()
  }
  client.once('connected', handleChunk)
  parser.parse = (chunk) => {
    // [MQTT-3.1.0-1]; at the first byte, because the length of what is not MQTT would be waited for.
    if (!begun && typeOf(chunk) !== CONNECT) client.emit('error', new Error('the first packet is not CONNECT'))
    begun = true
    stream.push(chunk)
    handleChunk()
    return 0
  }
}

export const pauseReading = (client: Client): void => internals(client).pause()

export const resumeReading = (client: Client): void => {
  if (!client.closed) internals(client).resume()
}

const typeOf = (packet: Buffer): number => (packet[0] ?? 0) >> 4

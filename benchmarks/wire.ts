import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { generate, parser as newParser, type Packet } from 'mqtt-packet'

/** The recording broker knows its services by these; the peers take any. */
export const CREDENTIALS = { username: 'service', password: 'bench' } as const

/** Bytes of a published value, about those of a stirring rate with its timestamp. */
const PAYLOAD_BYTES = 60
const TOPICS_PER_CONNECTION = 100

/** A connection over a bare socket with a clean session, the same to every broker. `onPacket` gets all that follows CONNACK. */
export async function connect(port: number, clientId: string, onPacket: (packet: Packet) => void): Promise<Socket> {
  const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true })
  const parser = newParser()
  let connected: (() => void) | undefined
  parser.on('packet', (packet: Packet) => {
    if (packet.cmd !== 'connack') onPacket(packet)
    else if (packet.returnCode === 0) connected?.()
    else socket.destroy(new Error(`the broker refused the connection with code ${String(packet.returnCode)}`))
  })
  socket.on('data', (chunk) => parser.parse(chunk))
  await once(socket, 'connect')
  const password = Buffer.from(CREDENTIALS.password)
  socket.write(
    generate({
      cmd: 'connect',
      clientId,
      clean: true,
      keepalive: 0,
      protocolId: 'MQTT',
      protocolVersion: 4,
      username: CREDENTIALS.username,
      password,
    }),
  )
  await new Promise<void>((resolve, reject) => {
    connected = resolve
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the broker closed the connection')))
  })
  return socket
}

export const FILTER = 'pioreactor/u1/bench/#'

/** Topics of one connection, all of the same length. */
const topicOf = (connection: number, index: number): string =>
  `pioreactor/u1/bench/job_${String(connection).padStart(3, '0')}/setting_${String(index % TOPICS_PER_CONNECTION).padStart(3, '0')}`

const TEMPLATE = generate({
  cmd: 'publish',
  topic: topicOf(0, 0),
  payload: Buffer.alloc(PAYLOAD_BYTES, '0'),
  qos: 1,
  retain: true,
  dup: false,
  messageId: 1,
})
const TOPIC_AT = TEMPLATE.indexOf('pioreactor')
const MESSAGE_ID_AT = TOPIC_AT + topicOf(0, 0).length
const PAYLOAD_AT = MESSAGE_ID_AT + 2

export const FRAME_BYTES = TEMPLATE.length

/** Writes one retained QoS 1 PUBLISH at `at`: the sequence number is the payload, and modulo 2^16 - 1 the packet identifier. */
export function writePublish(target: Buffer, at: number, connection: number, sequence: number): void {
  TEMPLATE.copy(target, at)
  target.write(topicOf(connection, sequence), at + TOPIC_AT, 'latin1')
  target.writeUInt16BE(messageIdOf(sequence), at + MESSAGE_ID_AT)
  target.write(String(sequence).padStart(PAYLOAD_BYTES, '0'), at + PAYLOAD_AT, 'latin1')
}

export const messageIdOf = (sequence: number): number => (sequence % 65_535) + 1

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import mqttPacket from 'mqtt-packet'
import { onTestFinished } from 'vitest'

type Publish = mqttPacket.IPublishPacket

export interface FakePeer {
  readonly port: number
  /** Everything published so far, as `topic payload`. */
  readonly received: string[]
  readonly connections: () => number
  /** What it does with a message from now on. */
  onPublish(behaviour: (message: Publish, socket: Socket) => void): void
  /** What it does with a connection from now on, instead of accepting it. */
  onConnect(behaviour: (socket: Socket) => void): void
}

export const acknowledge = ({ qos, messageId = 0 }: Publish, socket: Socket): void => {
  if (qos > 0) socket.write(mqttPacket.generate({ cmd: qos === 2 ? 'pubrec' : 'puback', messageId }))
}

/** A broker that behaves as a test wants. It acknowledges until it is told otherwise, and hands nothing on. */
export async function startFakePeer(): Promise<FakePeer> {
  const sockets = new Set<Socket>()
  const received: string[] = []
  let connections = 0
  let publish = acknowledge
  let accept = (socket: Socket): void => {
    socket.write(mqttPacket.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
  }
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const parser = mqttPacket.parser({ protocolVersion: 4 })
    socket.on('data', (chunk) => parser.parse(chunk))
    parser.on('packet', (packet) => {
      const { messageId = 0 } = packet
      if (packet.cmd === 'connect') accept(socket)
      else if (packet.cmd === 'pingreq') socket.write(mqttPacket.generate({ cmd: 'pingresp' }))
      else if (packet.cmd === 'pubrel') socket.write(mqttPacket.generate({ cmd: 'pubcomp', messageId }))
      else if (packet.cmd === 'subscribe') {
        const granted = packet.subscriptions.map(() => 1)
        socket.write(mqttPacket.generate({ cmd: 'suback', messageId, granted }))
      } else if (packet.cmd === 'publish') {
        received.push(`${packet.topic} ${packet.payload.toString()}`)
        publish(packet, socket)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    received,
    connections: () => connections,
    onPublish(behaviour) {
      publish = behaviour
    },
    onConnect(behaviour) {
      accept = behaviour
    },
  }
}

import mqttPacket from 'mqtt-packet'
import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'
import { until } from '../support/until.js'
import { createBridgeLab, event, firstOnes, numbered } from './bridge-lab.js'
import { acknowledge, startFakePeer } from './fake-peer.js'

const at = (port: number) => ({ host: '127.0.0.1', port, tls: null })
const count = (index: number): string => `pioreactor/u1/exp/job/count ${index}`
const counts = (most: number): string[] => Array.from({ length: most }, (_, index) => count(index))

it('that acknowledge nothing have a thousand events on their way, and no more', async () => {
  const [lab, peer] = [await createBridgeLab(), await startFakePeer()]
  peer.onPublish(() => undefined)
  await lab.log.append(numbered(0, 5000))
  const bridge = lab.bridgeTo(at(peer.port))
  await until(() => peer.received.length >= 1000, 'a thousand events')
  // Whatever comes now would be one too many.
  await lab.log.append(numbered(5000, 10))
  await eventually(() => expect(lab.reader.lastPosition()).toBe(5010))
  expect(peer.received).toHaveLength(1000)
  await eventually(() => expect(bridge.status()).toMatchObject({ connected: true, position: 0 }))
})

it('that acknowledge what they were not sent, or twice, are believed nothing of it', async () => {
  const [lab, peer] = [await createBridgeLab(), await startFakePeer()]
  peer.onPublish(({ messageId = 0 }, socket) => {
    socket.write(mqttPacket.generate({ cmd: 'puback', messageId: messageId + 30_000 }))
    socket.write(mqttPacket.generate({ cmd: 'pubrec', messageId: 65_000 }))
    socket.write(mqttPacket.generate({ cmd: 'pubcomp', messageId: 65_000 }))
  })
  await lab.log.append(numbered(0, 10))
  const bridge = lab.bridgeTo(at(peer.port))
  await until(() => peer.received.length >= 10, 'the events')
  peer.onPublish((message, socket) => {
    for (const _ of [1, 2]) acknowledge(message, socket)
  })
  await lab.log.append(numbered(10, 10))
  await until(() => peer.received.length >= 20, 'more events')
  expect(bridge.status().position).toBe(0)
  await bridge.stop()
  await lab.caughtUp(lab.bridgeTo(at(peer.port)))
  expect(firstOnes(peer.received)).toEqual(counts(20))
})

it('that close at once are tried again, and logged once', async () => {
  const [lab, peer] = [await createBridgeLab(), await startFakePeer()]
  const logger = recordingLogger()
  peer.onConnect((socket) => socket.destroy())
  await lab.log.append(numbered(0, 10))
  const bridge = lab.bridgeTo(at(peer.port), { logger })
  await until(() => peer.connections() >= 4, 'four connections')
  expect(logger.lines).toHaveLength(1)
  peer.onConnect((socket) =>
    socket.write(mqttPacket.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false })),
  )
  await lab.caughtUp(bridge)
  expect(peer.received).toEqual(counts(10))
})

it('that are full for a while, or take no more of a topic, have everything in order afterwards', async () => {
  const [lab, peer] = [await createBridgeLab(), await startFakePeer()]
  let isFull = true
  peer.onPublish((message, socket) => {
    if (isFull && Number(message.payload.toString()) >= 700) socket.destroy()
    else acknowledge(message, socket)
  })
  await lab.log.append([...numbered(0, 1500), event('pioreactor/u1/exp/job/end', '0', { qos: 2 })])
  const bridge = lab.bridgeTo(at(peer.port))
  await until(() => peer.connections() >= 3, 'the event to be sent again')
  expect(bridge.status().position).toBeLessThanOrEqual(700)
  isFull = false
  await lab.caughtUp(bridge)
  expect(firstOnes(peer.received)).toEqual([...counts(1500), 'pioreactor/u1/exp/job/end 0'])
  // What was on its way when the connection broke may not have arrived.
  expect(bridge.status().repeated).toBeGreaterThanOrEqual(peer.received.length - 1501)
})

it('that send a packet without end are left', async () => {
  const [lab, peer] = [await createBridgeLab(), await startFakePeer()]
  peer.onPublish((_message, socket) => {
    // PUBLISH of 256 MB.
    socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 0x61]))
    const more = (): void => {
      if (!socket.destroyed) socket.write(Buffer.alloc(65_536), () => setImmediate(more))
    }
    more()
  })
  await lab.log.append(numbered(0, 1))
  const bridge = lab.bridgeTo(at(peer.port))
  await eventually(() => expect(bridge.status().reason).toBe('the peer sends a packet that is too long'))
})

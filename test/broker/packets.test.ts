import fc from 'fast-check'
import { generate, parser as newParser, type Packet } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { PacketStream } from '../../broker/packet-stream.js'
import {
  decodePublish,
  encodeAcknowledgements,
  encodePublish,
  encodePubrel,
  PUBACK,
  PUBREC,
} from '../../broker/publish-frame.codec.js'
import { isMqttText, isTopicName } from '../../events/topic.js'

function parsed(bytes: Buffer): Packet[] {
  const packets: Packet[] = []
  const parser = newParser()
  parser.on('packet', (packet) => packets.push(packet))
  parser.parse(bytes)
  return packets
}

const sizes = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(16_370, 16_383, 16_384, 2_097_152))
const frames = fc
  .record({
    topic: fc
      .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
      .filter((topic) => isTopicName(topic) && isMqttText(topic)),
    payload: sizes.map((size) => Buffer.alloc(size, 7)),
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.boolean(),
    dup: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
  })
  .map((frame) => ({ ...frame, dup: frame.dup && frame.qos > 0 }))

test('encoded PUBLISH packets say what they were given, as an independent parser reads them', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const [packet, ...more] = parsed(encodePublish(frame))
      expect(more).toEqual([])
      const { payload, messageId, ...head } = frame
      expect(packet).toMatchObject({ cmd: 'publish', ...head })
      if (packet?.cmd !== 'publish') return
      expect(Buffer.compare(Buffer.from(packet.payload), payload)).toBe(0)
      if (frame.qos > 0) expect(packet.messageId).toBe(messageId)
    }),
    { numRuns: 100 },
  )
})

test('PUBLISH packets are read as an independent encoder wrote them', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const { payload, messageId, ...head } = decodePublish(generate({ cmd: 'publish', ...frame }))
      expect(head).toEqual({ topic: frame.topic, qos: frame.qos, retain: frame.retain, dup: frame.dup })
      expect(Buffer.compare(payload, frame.payload)).toBe(0)
      expect(messageId).toBe(frame.qos > 0 ? frame.messageId : 0)
    }),
    { numRuns: 100 },
  )
})

test('encoded acknowledgements carry their identifiers', () => {
  expect(parsed(encodePubrel(0x1234))).toMatchObject([{ cmd: 'pubrel', messageId: 0x1234 }])
  expect(parsed(encodeAcknowledgements([PUBACK, 1, PUBREC, 0xfffe]))).toMatchObject([
    { cmd: 'puback', messageId: 1 },
    { cmd: 'pubrec', messageId: 0xfffe },
  ])
})

test('packets come whole and in order however the bytes were cut', () => {
  const packets = fc.array(
    fc.oneof(frames.map(encodePublish), fc.constant(generate({ cmd: 'pingreq' })), fc.constant(encodePubrel(7))),
    { minLength: 1, maxLength: 6 },
  )
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20_000 })), { minLength: 1 })
  fc.assert(
    fc.property(packets, cuts, (sent, lengths) => {
      const stream = new PacketStream(() => 4 * 1024 * 1024)
      const bytes = Buffer.concat(sent)
      const received: Buffer[] = []
      for (let at = 0, i = 0; at < bytes.length; i++) {
        // Cuts that are used up again and again would make millions of a long packet.
        const length = i < lengths.length ? (lengths[i] ?? 1) : 65_536
        stream.push(bytes.subarray(at, at + length))
        at += length
        for (let packet = stream.next(); packet !== undefined; packet = stream.next()) {
          received.push(packet.bytes.subarray(packet.from, packet.to))
        }
      }
      expect(Buffer.concat(received).equals(bytes)).toBe(true)
      expect(received.map((packet) => packet.length)).toEqual(sent.map((packet) => packet.length))
    }),
    { numRuns: 200 },
  )
})

test('a packet above the limit is refused by its header, a length without end by its fifth byte', () => {
  const refusal = (...bytes: number[]): (() => unknown) => {
    const stream = new PacketStream((first) => (first === 0x30 ? 1000 : 10))
    stream.push(Buffer.from(bytes))
    return () => stream.next()
  }
  expect(refusal(0x30, 0xe8, 0x07)()).toBeUndefined()
  expect(refusal(0x30, 0xe9, 0x07)).toThrow('a packet of 1001 bytes; the limit is 1000 bytes')
  expect(refusal(0x82, 11)).toThrow('a packet of 11 bytes; the limit is 10 bytes')
  expect(refusal(0x30, 0xff, 0xff, 0xff, 0xff)).toThrow('more than four bytes')
})

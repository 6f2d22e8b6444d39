import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  commandRegisters,
  decodeLiveValues,
  pidStartRegisters,
  registerGroups,
} from '../../../services/potentiostat/device/registers.js'
import {
  crc16,
  decodeRequest,
  encodeException,
  encodeReadReply,
  encodeRequest,
  encodeWriteReply,
  type ModbusReply,
  type ModbusRequest,
  ReplyParser,
  readRequest,
  requestLength,
  writeRequest,
} from '../../../services/transport/modbus-rtu.codec.js'
import {
  decodeFloat,
  decodeFloats,
  decodeInt32,
  decodeUint32,
  encodeFloats,
  encodeInt32,
} from '../../../services/transport/register-values.codec.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (frame: Uint8Array): string =>
  Buffer.from(frame)
    .toString('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$& ')
const command = (registers: Uint16Array): string => hex(encodeRequest(writeRequest(1, 0x4f00, registers)))

const word = fc.integer({ min: 0, max: 0xffff })
const words = (max: number) => fc.array(word, { minLength: 1, maxLength: max }).map((list) => Uint16Array.from(list))
const unit = fc.constantFrom(1, 255)
const requests: fc.Arbitrary<ModbusRequest> = fc.oneof(
  fc.tuple(unit, word, fc.integer({ min: 1, max: 125 })).map(([u, address, count]) => readRequest(u, address, count)),
  fc.tuple(unit, word, words(123)).map(([u, address, registers]) => writeRequest(u, address, registers)),
  fc.tuple(unit, word, fc.integer({ min: 1, max: 125 }), word, words(121)).map(
    ([u, readAddress, count, address, registers]): ModbusRequest => ({
      kind: 'readWrite',
      unit: u,
      functionCode: 0x17,
      read: { address: readAddress, count },
      write: { address, registers },
    }),
  ),
)

/** A frame and what it means as the answer to a request. */
const repliesTo = (request: ModbusRequest): fc.Arbitrary<{ frame: Uint8Array; reply: ModbusReply }> =>
  fc.oneof(
    fc.integer({ min: 1, max: 11 }).map((code) => ({
      frame: encodeException(request.unit, request.functionCode, code),
      reply: { kind: 'exception' as const, code },
    })),
    request.kind === 'write'
      ? fc.constant({
          frame: encodeWriteReply(request.unit, request.write.address, request.write.registers.length),
          reply: {
            kind: 'written' as const,
            address: request.write.address,
            count: request.write.registers.length,
          },
        })
      : fc
          .array(word, { minLength: request.read.count, maxLength: request.read.count })
          .map((list) => Uint16Array.from(list))
          .map((registers) => ({
            frame: encodeReadReply(
              request.unit,
              request.functionCode,
              Uint8Array.from([...registers].flatMap((w) => [w >>> 8, w & 0xff])),
            ),
            reply: { kind: 'registers' as const, registers },
          })),
  )

describe('frames', () => {
  test('the CRC check value is that of CRC-16/MODBUS', () => {
    expect(crc16(Buffer.from('123456789', 'ascii'))).toBe(0x4b37)
  })

  test.each([
    ['01 03 01 00 00 78 44 14', readRequest(1, 0x0100, 120)],
    ['01 03 01 00 00 04 45 F5', readRequest(1, 0x0100, 4)],
    ['01 03 03 00 00 18 45 84', readRequest(1, 0x0300, 24)],
    ['01 03 43 00 00 08 51 88', readRequest(1, 0x4300, 8)],
    ['01 10 02 00 00 04 08 00 00 3F 00 00 00 BE 80 C4 37', writeRequest(1, 0x0200, encodeFloats([0.5, -0.25]))],
    [
      '01 10 05 00 00 06 0C CC CD 3D CC 00 00 00 00 33 33 3F D3 F6 5E',
      writeRequest(1, 0x0500, encodeFloats([0.1, 0, 1.65])),
    ],
    ['01 10 30 04 00 02 04 00 00 41 20 97 D5', writeRequest(1, 0x3004, encodeFloats([10]))],
    ['01 10 30 0A 00 02 04 00 00 41 20 16 59', writeRequest(1, 0x300a, encodeFloats([10]))],
    ['01 10 40 06 00 02 04 03 E8 00 00 C2 36', writeRequest(1, 0x4006, encodeInt32(1000))],
    [
      '01 17 03 00 00 02 4F 00 00 02 04 00 E4 00 01 33 47',
      {
        kind: 'readWrite' as const,
        unit: 1,
        functionCode: 0x17 as const,
        read: { address: 0x0300, count: 2 },
        write: { address: 0x4f00, registers: commandRegisters('setSwitch', 1) },
      },
    ],
  ])('%s is that request', (frame, request) => {
    expect(hex(encodeRequest(request))).toBe(frame)
    expect(decodeRequest(bytes(frame))).toEqual(request)
  })

  test.each([
    ['setTiaGain', 0, '01 10 4F 00 00 02 04 00 E3 00 00 72 6A'],
    ['setTiaGain', 2, '01 10 4F 00 00 02 04 00 E3 00 02 F3 AB'],
    ['clearFifo', 1, '01 10 4F 00 00 02 04 00 E8 00 01 C2 68'],
    ['fifoStart', 1, '01 10 4F 00 00 02 04 00 E5 00 01 53 AB'],
    ['fifoStart', 0, '01 10 4F 00 00 02 04 00 E5 00 00 92 6B'],
    ['setSwitch', 1, '01 10 4F 00 00 02 04 00 E4 00 01 02 6B'],
    ['setSwitch', 0, '01 10 4F 00 00 02 04 00 E4 00 00 C3 AB'],
    ['testStop', 1, '01 10 4F 00 00 02 04 00 E7 00 01 F2 6B'],
    ['reset', 1, '01 10 4F 00 00 02 04 00 E1 00 01 12 6A'],
    ['sensorZero', 0, '01 10 4F 00 00 02 04 00 E0 00 00 82 6A'],
    ['saveConfig', 0, '01 10 4F 00 00 02 04 00 F0 00 00 83 AF'],
  ] as const)('%s %i is %s', (name, parameter, frame) => {
    expect(command(commandRegisters(name, parameter))).toBe(frame)
  })

  test.each([
    [1e-3, '01 10 4F 00 00 03 06 00 E6 12 6F 3A 83 EC E7'],
    [-2e-6, '01 10 4F 00 00 03 06 00 E6 37 BD B6 06 E2 B1'],
  ])('PID_START %f A is %s', (targetA, frame) => {
    expect(command(pidStartRegisters(targetA))).toBe(frame)
  })

  test('replies of the device', () => {
    expect(hex(encodeWriteReply(1, 0x4f00, 2))).toBe('01 10 4F 00 00 02 57 1C')
    expect(hex(encodeWriteReply(1, 0x4f00, 3))).toBe('01 10 4F 00 00 03 96 DC')
    expect(hex(encodeWriteReply(1, 0x0200, 4))).toBe('01 10 02 00 00 04 C0 72')
    expect(hex(encodeWriteReply(1, 0x0200, 120))).toBe('01 10 02 00 00 78 C1 93')
    expect(hex(encodeException(1, 0x03, 6))).toBe('01 83 06 C1 32')
    expect(hex(encodeException(1, 0x10, 6))).toBe('01 90 06 CC 02')
    expect(hex(encodeException(1, 0x10, 3))).toBe('01 90 03 0C 01')
    expect(hex(encodeException(1, 0x03, 2))).toBe('01 83 02 C0 F1')
    expect(hex(encodeException(1, 0x06, 1))).toBe('01 86 01 83 A0')
    const pair = bytes('B7 17 37 51 00 00 3E 80')
    expect(hex(encodeReadReply(1, 0x03, pair))).toBe('01 03 08 B7 17 37 51 00 00 3E 80 50 0F')
  })

  test('any request survives the wire, and its length is known from its first bytes', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const frame = encodeRequest(request)
        expect(decodeRequest(frame)).toEqual(request)
        expect(requestLength(frame.subarray(0, 11))).toBe(frame.length)
        expect(frame.length % 64).not.toBe(0)
      }),
    )
  })

  test.each([0, 126])('a read of %i registers is refused before it is sent', (count) => {
    expect(() => encodeRequest(readRequest(1, 0x0100, count))).toThrow(
      expect.objectContaining({ code: 'modbus.register_count' }),
    )
  })

  test('a write of 124 registers is refused before it is sent', () => {
    expect(() => encodeRequest(writeRequest(1, 0x0200, new Uint16Array(124)))).toThrow(
      expect.objectContaining({ code: 'modbus.register_count' }),
    )
  })

  test('a write whose byte count contradicts its register count is no request', () => {
    expect(decodeRequest(bytes('01 10 02 00 00 03 04 00 00 00 00 00 00'))).toBeNull()
  })
})

describe('reply parser', () => {
  const exchange = requests.chain((request) => fc.tuple(fc.constant(request), repliesTo(request)))
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 60 })

  /** Feeds bytes in chunks of the given sizes, over and over; the first reply found. */
  function feed(parser: ReplyParser, stream: Uint8Array, sizes: readonly number[]): ModbusReply | null {
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1
      const reply = parser.push(stream.subarray(at, at + size))
      if (reply !== null) return reply
      at += size
    }
    return null
  }

  test('finds the reply however it is cut into chunks', () => {
    fc.assert(
      fc.property(exchange, chunkSizes, ([request, { frame, reply }], sizes) => {
        expect(feed(new ReplyParser(request), frame, sizes)).toEqual(reply)
      }),
    )
  })

  test('finds the reply behind garbage', () => {
    const garbage = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(exchange, garbage, chunkSizes, ([request, { frame, reply }], noise, sizes) => {
        expect(feed(new ReplyParser(request), Uint8Array.of(...noise, ...frame), sizes)).toEqual(reply)
      }),
    )
  })

  test('finds the reply behind the first bytes of one that was cut', () => {
    fc.assert(
      fc.property(exchange, fc.nat(300), chunkSizes, ([request, { frame, reply }], cut, sizes) => {
        const stream = Uint8Array.of(...frame.subarray(0, cut % frame.length), ...frame)
        expect(feed(new ReplyParser(request), stream, sizes)).toEqual(reply)
      }),
    )
  })

  test('never takes a corrupted reply for a good one', () => {
    fc.assert(
      fc.property(exchange, fc.nat(), fc.integer({ min: 1, max: 255 }), ([request, { frame }], at, flip) => {
        const corrupted = Uint8Array.from(frame)
        corrupted[at % frame.length] = (corrupted[at % frame.length] ?? 0) ^ flip
        expect(new ReplyParser(request).push(corrupted)).toBeNull()
      }),
    )
  })

  test('ignores the reply to another request', () => {
    const parser = new ReplyParser(readRequest(1, 0x0100, 120))
    expect(parser.push(encodeWriteReply(1, 0x0200, 120))).toBeNull()
    expect(parser.push(encodeReadReply(1, 3, new Uint8Array(48)))).toBeNull()
    expect(parser.push(encodeException(1, 3, 6))).toEqual({ kind: 'exception', code: 6 })
  })
})

describe('32-bit values', () => {
  test.each([
    [0, [0x0000, 0x0000]],
    [1, [0x0000, 0x3f80]],
    [-1, [0x0000, 0xbf80]],
    [0.1, [0xcccd, 0x3dcc]],
    [0.5, [0x0000, 0x3f00]],
    [-0.25, [0x0000, 0xbe80]],
    [1.65, [0x3333, 0x3fd3]],
    [1e-6, [0x37bd, 0x3586]],
  ])('%f travels low word first', (value, registers) => {
    expect([...encodeFloats([value])]).toEqual(registers)
    expect(decodeFloat(Uint16Array.from(registers), 0)).toBe(Math.fround(value))
  })

  test('floats survive the registers bit by bit', () => {
    const floats = fc.float({ noNaN: true })
    fc.assert(
      fc.property(fc.array(floats, { maxLength: 60 }), (values) => {
        expect([...decodeFloats(encodeFloats(values))]).toEqual(values)
      }),
    )
  })

  test('integers survive the registers', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(decodeInt32(encodeInt32(value), 0)).toBe(value)
        expect(decodeUint32(encodeInt32(value), 0)).toBe(value >>> 0)
      }),
    )
  })

  test('the live values of a running device', () => {
    const request = readRequest(1, registerGroups.liveValues.address, 24)
    const reply = new ReplyParser(request).push(
      bytes(
        `01 03 30 B7 17 37 51 00 00 3E 80 88 89 3F C8 00 00 00 00 33 33 3F D3 00 00 41 C4 00 00 42 24 18 0A 46 1C
         00 11 00 00 00 2B 00 00 01 66 00 00 01 14 00 00 5B C0`.replaceAll('\n', ''),
      ),
    )
    if (reply?.kind !== 'registers') throw new Error('no registers')
    expect(decodeLiveValues(reply.registers)).toEqual({
      currentA: Math.fround(12.5e-6),
      potentialV: 0.25,
      potentialDacV: Math.fround(1.65 - 0.25 / 3),
      tiaReferenceV: 0,
      midSupplyV: Math.fround(1.65),
      temperatureC: 24.5,
      humidityPercent: 41,
      tiaOhm: Math.fround(9990.01),
      adcQueued: 17,
      dacQueued: 43,
      sampleTicks: 358,
      state: 0x114,
    })
  })
})

import { describe, expect, test } from 'vitest'
import { StateBit, usbSerialNumber } from '../../../services/potentiostat/device/registers.js'
import { encodeRequest, readRequest } from '../../../services/transport/modbus-rtu.codec.js'
import {
  decodeInt32,
  decodeUint32,
  encodeFloats,
  encodeInt32,
} from '../../../services/transport/register-values.codec.js'
import { serialOfIndex } from '../../../simulation/potentiostat/serial-numbers.js'
import { GivenDevice } from './given-device.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (frame: Uint8Array | null): string =>
  frame === null
    ? 'silence'
    : Buffer.from(frame)
        .toString('hex')
        .toUpperCase()
        .replace(/..(?=.)/g, '$& ')

describe('frames', () => {
  test.each([
    ['a command is echoed', '01 10 4F 00 00 02 04 00 E4 00 01 02 6B', '01 10 4F 00 00 02 57 1C'],
    ['PID_START is echoed', '01 10 4F 00 00 03 06 00 E6 12 6F 3A 83 EC E7', '01 10 4F 00 00 03 96 DC'],
    ['points are acknowledged', '01 10 02 00 00 04 08 00 00 3F 00 00 00 BE 80 C4 37', '01 10 02 00 00 04 C0 72'],
    ['too few pairs: busy', '01 03 01 00 00 78 44 14', '01 83 06 C1 32'],
    ['wrong CRC: illegal value', '01 10 4F 00 00 02 04 00 E4 00 01 02 6C', '01 90 03 0C 01'],
    ['write single register: illegal function', '01 06 4F 00 00 01 00 00', '01 86 01 83 A0'],
    ['a truncated write: illegal value', '01 10 4F 00 00 02', '01 90 03 0C 01'],
    ['broadcast: silence', '00 10 4F 00 00 02 04 00 E4 00 01 02 6B', 'silence'],
    ['another address: silence', '02 03 03 00 00 18 45 84', 'silence'],
  ])('%s', (_, request, reply) => {
    expect(hex(new GivenDevice().device.handle(bytes(request)))).toBe(reply)
  })

  test('address 255 is answered under its own name', () => {
    const reply = new GivenDevice().device.handle(encodeRequest(readRequest(255, 0x4300, 8)))
    expect(reply?.[0]).toBe(255)
  })

  test('input registers are the holding registers', () => {
    const given = new GivenDevice()
    const request = { kind: 'read', unit: 1, functionCode: 0x04, read: { address: 0x4300, count: 6 } } as const
    expect(given.ask(request)).toEqual({ kind: 'registers', registers: given.read(0x4300, 6) })
  })

  test('read/write writes first, then reads', () => {
    const given = new GivenDevice()
    const reply = given.ask({
      kind: 'readWrite',
      unit: 1,
      functionCode: 0x17,
      read: { address: 0x0316, count: 2 },
      write: { address: 0x4f00, registers: Uint16Array.of(0xe4, 1) },
    })
    if (reply?.kind !== 'registers') throw new Error('no registers')
    expect(decodeUint32(reply.registers, 0)).toBe(StateBit.cellSwitch)
  })

  test('a read of 126 registers passes the length check and leaves one byte', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(40)
    expect(given.device.handle(bytes('01 03 01 00 00 7E C4 16'))).toHaveLength(1)
  })
})

describe('registers', () => {
  test.each([
    ['an unknown group', 0x6000, 2],
    ['a group declared but not implemented', 0xf100, 1],
    ['the write-only command group', 0x4f00, 2],
    ['past the end of a group', 0x0500, 7],
    ['past the end from an offset', 0x4006, 3],
  ])('reading %s is an illegal address', (_, address, count) => {
    expect(new GivenDevice().read(address, count)).toBe('exception 2')
  })

  test.each([
    ['the pairs', 0x0100],
    ['the live values', 0x0300],
    ['the chip id', 0x4300],
    ['an unknown group', 0x7000],
  ])('writing %s is an illegal address', (_, address) => {
    expect(new GivenDevice().write(address, Uint16Array.of(1, 2))).toBe('exception 2')
  })

  test('live values of an idle device', () => {
    const given = new GivenDevice({ temperatureC: 24.5, humidityPercent: 41 })
    given.run(0.5)
    const { currentA, potentialV, ...rest } = given.live()
    expect(Math.abs(currentA)).toBeLessThan(1e-8)
    expect(Math.abs(potentialV)).toBeLessThan(1e-3)
    expect(rest).toEqual({
      potentialDacV: Math.fround(1.65),
      tiaReferenceV: 0,
      midSupplyV: Math.fround(1.65),
      temperatureC: 24.5,
      humidityPercent: 41,
      tiaOhm: Math.fround(99009.90099),
      adcQueued: 0,
      dacQueued: 0,
      sampleTicks: 0,
      state: 0,
    })
  })

  test('the analog group shows the pin of the amplifier and the potential', () => {
    const given = new GivenDevice()
    given.write(0x0500, encodeFloats([0.3, 0, 1.65]))
    given.command('setTiaGain', 0)
    given.command('setSwitch', 1)
    given.run(0.3)
    const [pinV = 0, potentialV = 0, supplyV] = given.readFloats(0x0400, 5)
    expect(pinV).toBeCloseTo(1.65 + (0.3e-3 * 999.9) / 3, 3)
    expect(potentialV).toBeCloseTo(0.3, 2)
    expect(supplyV).toBeCloseTo(3.3, 3)
  })

  test('writing DAC set values applies all three, also those never read', () => {
    const given = new GivenDevice()
    expect(given.readFloats(0x0500, 3)).toEqual([0, 0, Math.fround(1.65)])
    expect(given.write(0x0500, encodeFloats([0.1]))).toBe('ok')
    expect(given.live()).toMatchObject({
      potentialDacV: Math.fround(1.65 - Math.fround(0.1) / 3),
      midSupplyV: Math.fround(1.65),
    })
    const unread = new GivenDevice()
    unread.write(0x0500, encodeFloats([0.1]))
    expect(unread.live().midSupplyV).toBe(0)
  })

  test('a set potential beyond the range is clamped at the cell, not in the registers', () => {
    const given = new GivenDevice()
    given.command('setSwitch', 1)
    given.write(0x0500, encodeFloats([9, 0, 1.65]))
    given.run(0.3)
    expect(given.live().potentialDacV).toBeCloseTo(1.65 - 3, 5)
    expect(given.live().potentialV).toBeCloseTo(4.95, 2)
  })

  test('PID constants, DAC scales and timing have their defaults and keep what is written', () => {
    const given = new GivenDevice()
    const defaults = [100, 0.01, 0.000025, 1e-11, -1e-11, 10, -10, 0.05, -0.05, 5, -5]
    expect(given.readFloats(0x3200, 11)).toEqual(defaults.map(Math.fround))
    expect(given.readFloats(0x3100, 9)).toEqual([-1 / 3, 1.65, 0, 1, 0, 0, 1, 0, 1.65].map(Math.fround))
    expect(given.write(0x4006, encodeInt32(1000))).toBe('ok')
    const timing = given.read(0x4000, 8) as Uint16Array
    expect([0, 2, 4, 6].map((at) => decodeUint32(timing, at))).toEqual([200, 50, 10_000, 1000])
    given.write(0x3200, encodeFloats([50]))
    expect(given.command('loadDefaults', 0)).toBe('ok')
    expect(given.readFloats(0x3200, 1)).toEqual([100])
  })

  test('a shorter running average follows faster', () => {
    const settled = (samples: number): number => {
      const given = new GivenDevice()
      given.command('setTiaGain', 0)
      given.write(0x3004, encodeFloats([samples]))
      given.write(0x0500, encodeFloats([0.5, 0, 1.65]))
      given.command('setSwitch', 1)
      given.steps(50)
      return given.live().currentA
    }
    // A hundred conversions are one time constant of the average of 100 and ten of the average of 10.
    expect(settled(100)).toBeCloseTo(0.5e-3 * (1 - 1 / Math.E), 4)
    expect(settled(10)).toBeCloseTo(0.5e-3, 5)
  })

  test.each([0, 1, 31])('the chip id agrees with the USB serial number of device %i', (index) => {
    const serial = serialOfIndex(index)
    const words = new GivenDevice({ serial }).read(0x4300, 8) as Uint16Array
    const [u0, u1, u2, zero] = [0, 2, 4, 6].map((at) => decodeUint32(words, at))
    expect(usbSerialNumber([u0 ?? 0, u1 ?? 0, u2 ?? 0])).toBe(serial)
    expect(serial).toMatch(/^[0-9A-F]{12}$/)
    expect(zero).toBe(0)
  })

  test('serial numbers of 64 devices differ', () => {
    expect(new Set(Array.from({ length: 64 }, (_, index) => serialOfIndex(index))).size).toBe(64)
  })

  test('the calendar starts in 2000 at every boot and can be set', () => {
    const given = new GivenDevice()
    const fields = (): number[] => {
      const registers = given.read(0x4500, 18) as Uint16Array
      return Array.from({ length: 9 }, (_, i) => decodeInt32(registers, 2 * i))
    }
    given.run(2.5)
    expect(fields()).toEqual([2, 0, 0, 1, 0, 100, 6, 0, 0])
    given.write(0x4500, Uint16Array.from([58, 59, 23, 31, 11, 125, 0, 0, 0].flatMap((v) => [...encodeInt32(v)])))
    given.run(3)
    expect(fields()).toEqual([1, 0, 0, 1, 0, 126, 4, 0, 0])
  })

  test('a saved configuration counts one flash write, until the next reset', () => {
    const given = new GivenDevice()
    const writes = (): number => decodeUint32(given.read(0x4400, 6) as Uint16Array, 4)
    expect(writes()).toBe(1)
    given.command('saveConfig')
    expect(writes()).toBe(2)
    given.command('reset', 1)
    given.run(0.5)
    expect(writes()).toBe(1)
  })

  test('a wrong password is refused, but the access level written with it stays: the device is locked until reset', () => {
    const given = new GivenDevice()
    expect(given.write(0x5000, new Uint16Array(14))).toBe('exception 3')
    expect(given.read(0x0300, 24)).toBe('exception 2')
    expect(given.command('reset', 1)).toBe('exception 2')
  })

  test('the master password allows reading values and configuration, and writing configuration', () => {
    const given = new GivenDevice()
    const password = new Uint8Array(28)
    password.set(Buffer.from('1357BKDR', 'latin1'), 12)
    expect(given.write(0x5000, new Uint16Array(password.buffer))).toBe('ok')
    expect(given.read(0x0300, 2)).toHaveLength(2)
    expect(given.write(0x3200, encodeFloats([50]))).toBe('ok')
    expect(given.points(0.1)).toBe('exception 2')
  })

  test('the defective password check refuses everything', () => {
    expect(new GivenDevice().write(0x5100, Uint16Array.of(0, 0))).toBe('exception 3')
  })
})

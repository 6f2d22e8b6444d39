import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LED_CHANNELS, type LedChannel } from '../../../../services/bioreactor/board/board.js'
import {
  adcPointer,
  adcScale,
  decodeAdc,
  decodeFirmwareVersion,
  decodePointer,
  encodeAdc,
  encodeFirmwareVersion,
  encodeLed,
  rawToVolts,
  voltsToRaw,
} from '../../../../services/bioreactor/chips/pico.codec.js'

test.each([
  ['PICO-1', '0500', [0, 5], 32],
  ['PICO-2', '0300', [0, 3], 16],
  ['first with the larger sum', '0400', [0, 4], 32],
  ['a later major version', '0001', [1, 0], 32],
] as const)('%s: version register %s', (_, register, version, scale) => {
  const decoded = decodeFirmwareVersion(Buffer.from(register, 'hex'))
  expect(decoded).toEqual(version)
  expect(adcScale(decoded)).toBe(scale)
})

test.each([
  ['PICO-3', 2, 0x06, 'a861', 25000, 0.629578755, 1.259157509],
  ['PICO-4', 3, 0x07, '1027', 10000, 0.251831502, 0.503663004],
  ['PICO-5', 2, 0x06, 'ffff', 65535, 1.650377747, 3.300755495],
])('%s: input %i', (_, channel, pointer, register, raw, volts32, volts16) => {
  expect(adcPointer(channel)).toBe(pointer)
  expect(decodeAdc(Buffer.from(register, 'hex'))).toBe(raw)
  expect(rawToVolts(raw, 32)).toBeCloseTo(volts32, 9)
  expect(rawToVolts(raw, 16)).toBeCloseTo(volts16, 9)
})

test('PICO-6: 0.5 V', () => {
  expect(Math.trunc(voltsToRaw(0.5, 32))).toBe(19854)
  expect(Math.trunc(voltsToRaw(0.5, 16))).toBe(9927)
})

test.each<[string, LedChannel, number, string]>([
  ['PICO-7', 'A', 80, '00cc'],
  ['PICO-8', 'B', 0, '0100'],
  ['PICO-9', 'C', 30, '024c'],
  ['PICO-10', 'D', 100, '03ff'],
])('%s: LED %s at %d %% is written as %s', (_, channel, percent, hex) => {
  expect(Buffer.from(encodeLed(channel, percent)).toString('hex')).toBe(hex)
})

test('every pointer addresses one thing', () => {
  expect([0, 1, 2, 3].map(decodePointer)).toEqual(LED_CHANNELS.map((led) => ({ led })))
  expect([4, 5, 6, 7].map(decodePointer)).toEqual([0, 1, 2, 3].map((adc) => ({ adc })))
  expect(decodePointer(8)).toEqual({ version: true })
  expect(decodePointer(9)).toBeNull()
})

test('values survive the registers in both directions', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(16 as const, 32 as const), (raw, scale) => {
      expect(decodeAdc(encodeAdc(raw))).toBe(raw)
      expect(voltsToRaw(rawToVolts(raw, scale), scale)).toBeCloseTo(raw, 6)
    }),
  )
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), (major, minor) => {
      expect(decodeFirmwareVersion(encodeFirmwareVersion([major, minor]))).toEqual([major, minor])
    }),
  )
})

test('an input above 1.65 V wraps around, as in firmware 0.4 and later', () => {
  expect(decodeAdc(encodeAdc(65536 + 100))).toBe(100)
})

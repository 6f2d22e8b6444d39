import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chooseGain,
  continuousWord,
  decodeConfig,
  decodeConversion,
  encodeConfigWrite,
  encodeConversion,
  gains,
  isConverted,
  rawToVolts,
  singleShotWord,
  voltsToRaw,
} from '../../../../services/bioreactor/chips/ads111x.codec.js'

const words = (hex: string): number[] => hex.split(' ').map((word) => Number.parseInt(word, 16))
const anyGain = fc.constantFrom(...gains)

describe('configuration words', () => {
  test.each([
    [0, 'C183 C383 C583 C783 C983 CB83'],
    [1, 'D183 D383 D583 D783 D983 DB83'],
    [2, 'E183 E383 E583 E783 E983 EB83'],
    [3, 'F183 F383 F583 F783 F983 FB83'],
  ])('start a single conversion of input %i at each gain', (channel, expected) => {
    expect(gains.map((gain) => singleShotWord(channel, gain))).toEqual(words(expected))
  })

  test('convert continuously at each gain', () => {
    expect(gains.map(continuousWord)).toEqual(words('0083 0283 0483 0683 0883 0A83'))
  })

  test('are written behind the pointer, high byte first', () => {
    expect(encodeConfigWrite(singleShotWord(1, 1))).toEqual(Uint8Array.of(0x01, 0xd3, 0x83))
  })

  test('decode to the fields they were made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), anyGain, (channel, gain) => {
        expect(decodeConfig(singleShotWord(channel, gain))).toEqual({ start: true, channel, gain, continuous: false })
        expect(decodeConfig(continuousWord(gain))).toEqual({ start: false, channel: null, gain, continuous: true })
      }),
    )
  })

  test('report the end of a conversion in bit 15', () => {
    expect(isConverted(Uint8Array.of(0x53, 0x83))).toBe(false)
    expect(isConverted(Uint8Array.of(0xd3, 0x83))).toBe(true)
  })

  test('refuse an unknown gain', () => {
    expect(() => continuousWord(3)).toThrow(/gain 3: must be one of/)
  })
})

describe('conversions', () => {
  test.each([
    ['ADS1115-1', '1388', 1, 5000, 0.625019074],
    ['ADS1115-2', '4000', 16, 16384, 0.128003906],
    ['ADS1115-3', 'fff6', 1, -10, -0.001250038],
    ['ADS1115-4', '7fff', 2 / 3, 32767, 6.144],
    ['ADS1114-1', '0c80', 1, 3200, 0.400012207],
    ['ADS1114-2', '6400', 8, 25600, 0.400012207],
    ['ADS1114-3', 'ffff', 16, -1, -0.000007813],
  ])('%s: register %s at gain %d is raw %i, %d V', (_, register, gain, raw, volts) => {
    expect(decodeConversion(Buffer.from(register, 'hex'))).toBe(raw)
    expect(rawToVolts(raw, gain)).toBeCloseTo(volts, 9)
  })

  test('ADS1115-5: 0.5 V at gain 1 is 3999.878 steps', () => {
    expect(voltsToRaw(0.5, 1)).toBe(3999.8779296875)
    expect(Math.trunc(voltsToRaw(0.5, 1))).toBe(3999)
  })

  test('survive the register in both directions', () => {
    fc.assert(
      fc.property(fc.integer({ min: -32768, max: 32767 }), anyGain, (raw, gain) => {
        expect(decodeConversion(encodeConversion(raw))).toBe(raw)
        expect(voltsToRaw(rawToVolts(raw, gain), gain)).toBeCloseTo(raw, 6)
      }),
    )
  })
})

describe('automatic gain', () => {
  test.each([
    [0.4, 8],
    [0.2176, 8],
    [0.2175, 16],
    [1.8, 1],
    [3.5, 2 / 3],
    [-0.5, 16],
  ])('ADS1115-6: %d V is read at gain %d', (volts, gain) => {
    expect(chooseGain(volts, 4)).toBe(gain)
  })

  test.each([6.0, 5.2224, -0.86])('stays as it is at %d V, outside every window', (volts) => {
    for (const gain of gains) expect(chooseGain(volts, gain)).toBe(gain)
  })

  test('leaves 15 % of the range above every voltage it accepts', () => {
    fc.assert(
      fc.property(fc.double({ min: -0.25, max: 5.2, noNaN: true }), (volts) => {
        expect(Math.abs(voltsToRaw(volts, chooseGain(volts, 1)))).toBeLessThanOrEqual(32767)
      }),
    )
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundHalfEven } from '../../../../primitives/round.js'
import { LED_CHANNELS, type LedChannel } from '../../../../services/bioreactor/board/board.js'
import {
  decodeLevel,
  encodeLevel,
  encodePowerDown,
  isPoweredDown,
  withPower,
} from '../../../../services/bioreactor/chips/dac43608.codec.js'
import { ledLevel } from '../../../../services/bioreactor/chips/led-level.codec.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test.each([
  [0, 0],
  [0.1, 0],
  [0.5, 1],
  [1, 3],
  [5, 13],
  [10, 26],
  [20, 51],
  [25, 64],
  [30, 76],
  [33.3, 85],
  [50, 128],
  [70, 178],
  [75, 191],
  [80, 204],
  [85, 217],
  [90, 230],
  [99.9, 255],
  [100, 255],
])('%d %% is level %i', (percent, level) => {
  expect(ledLevel(percent)).toBe(level)
})

test('rounding differs from Math.round only at exact halves, where it is even', () => {
  fc.assert(
    fc.property(fc.nat(1000), (n) => {
      expect(roundHalfEven(n + 0.5) % 2).toBe(0)
      expect(roundHalfEven(n + 0.25)).toBe(n)
      expect(roundHalfEven(n + 0.75)).toBe(n + 1)
    }),
  )
})

test.each<[string, LedChannel, number, number, string, string | null]>([
  ['DAC-1', 'A', 50, 0xff, '0100fe', '080800'],
  ['DAC-2', 'C', 30, 0xfe, '0100fa', '0a04c0'],
  ['DAC-3', 'A', 0, 0xfa, '0100fb', null],
  ['DAC-4', 'D', 100, 0xfb, '0100f3', '0b0ff0'],
])('%s: %s to %d %% from power-down byte %i', (_, channel, percent, before, power, level) => {
  expect(hex(encodePowerDown(withPower(before, channel, percent > 0)))).toBe(power)
  if (level !== null) expect(hex(encodeLevel(channel, percent))).toBe(level)
})

test('powering one channel leaves the others alone', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.constantFrom(...LED_CHANNELS), fc.boolean(), (before, channel, on) => {
      const after = withPower(before, channel, on)
      expect(isPoweredDown(after, channel)).toBe(!on)
      for (const other of LED_CHANNELS.filter((name) => name !== channel)) {
        expect(isPoweredDown(after, other)).toBe(isPoweredDown(before, other))
      }
    }),
  )
})

test('a level survives the register', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LED_CHANNELS), fc.double({ min: 0, max: 100, noNaN: true }), (channel, percent) => {
      expect(decodeLevel(encodeLevel(channel, percent))).toEqual({ channel, value: ledLevel(percent) })
    }),
  )
})

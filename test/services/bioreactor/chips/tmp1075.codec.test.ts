import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTemperatureC, encodeTemperatureC } from '../../../../services/bioreactor/chips/tmp1075.codec.js'

test.each([
  ['TMP-1', '1900', 25],
  ['TMP-2', '2580', 37.5],
  ['TMP-3', '1cf0', 28.9375],
  ['TMP-4', '5500', 85],
  ['TMP-5', '0010', 0.0625],
  ['TMP-6', 'fff0', -0.0625],
  ['TMP-7', 'e700', -25],
  ['TMP-8', '7ff0', 127.9375],
])('%s: register %s is %d °C', (_, register, celsius) => {
  expect(decodeTemperatureC(Buffer.from(register, 'hex'))).toBe(celsius)
  expect(Buffer.from(encodeTemperatureC(celsius)).toString('hex')).toBe(register)
})

test('a temperature survives the register to half a step', () => {
  fc.assert(
    fc.property(fc.double({ min: -128, max: 127.9375, noNaN: true }), (celsius) => {
      expect(Math.abs(decodeTemperatureC(encodeTemperatureC(celsius)) - celsius)).toBeLessThanOrEqual(0.03125)
    }),
  )
})

test.each([
  [200, 127.9375],
  [-200, -128],
])('%d °C is beyond the register, which shows %d °C', (celsius, shown) => {
  expect(decodeTemperatureC(encodeTemperatureC(celsius))).toBe(shown)
})

import { expect, test } from 'vitest'
import { rawToVolts as adsVolts } from '../../../../services/bioreactor/chips/ads111x.codec.js'
import { rawToVolts } from '../../../../services/bioreactor/chips/pico.codec.js'
import { auxVolts, isRailLow, railVolts } from '../../../../services/bioreactor/chips/rail-voltage.codec.js'

test.each([
  ['AUX-1', rawToVolts(26600, 32), 5],
  ['AUX-2', rawToVolts(21280, 32), 4],
  ['AUX-3', rawToVolts(63840, 32), 12],
  ['AUX-4', adsVolts(5360, 1), 5],
])('%s: %d V at the input is a rail of %d V', (_, input, rail) => {
  expect(railVolts(input)).toBeCloseTo(rail, 10)
})

test('the low-power alarm sees steps of 0.05 V', () => {
  expect(railVolts(auxVolts(4.81), 0.05)).toBeCloseTo(4.8, 10)
})

test('a rail is low from 4.8 V down, unless the kernel says that its supply is well', () => {
  const at = (rail: number): number => railVolts(auxVolts(rail), 0.05)
  expect([4.7, 4.8, 4.85].map((rail) => isRailLow(at(rail), null))).toEqual([true, true, false])
  expect(isRailLow(at(4.7), true)).toBe(true)
  expect(isRailLow(at(4.7), false)).toBe(false)
})

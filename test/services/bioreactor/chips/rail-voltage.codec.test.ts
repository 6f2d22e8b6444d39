import { expect, test } from 'vitest'
import { rawToVolts as adsVolts } from '../../../../services/bioreactor/chips/ads111x.codec.js'
import { rawToVolts } from '../../../../services/bioreactor/chips/pico.codec.js'
import { auxVolts, railVolts } from '../../../../services/bioreactor/chips/rail-voltage.codec.js'

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

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundHalfEven } from '../../primitives/round.js'

test.each([
  [0.5, 0, 0],
  [1.5, 0, 2],
  [2.5, 0, 2],
  [-2.5, 0, -2],
  [0.375, 2, 0.38],
  [0.125, 2, 0.12],
  [0.35, 1, 0.3],
  [2.675, 2, 2.67],
])('%s to %i digits is %s, as in Python', (value, digits, rounded) => {
  expect(roundHalfEven(value, digits)).toBeCloseTo(rounded, 12)
})

test('halves go to even counts, everything else to the nearest', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), (n) => {
      expect(Math.abs(roundHalfEven(n + 0.5) % 2)).toBe(0)
      expect(roundHalfEven(n + 0.25)).toBe(n)
      expect(roundHalfEven(n + 0.75)).toBe(n + 1)
    }),
  )
})

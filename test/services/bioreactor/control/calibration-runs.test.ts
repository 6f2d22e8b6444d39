import { expect, test } from 'vitest'
import { pumpTestSeconds, stirringDuties } from '../../../../services/bioreactor/control/calibration-runs.js'

test('a stirring calibration goes down, up and down again', () => {
  const down = [39.9, 34.875, 29.85, 24.825, 19.8]
  expect(stirringDuties(30)).toEqual([...down, ...down.toReversed(), ...down])
  expect(stirringDuties(90)[0]).toBe(100)
  expect(stirringDuties(30, [10, 20]).slice(0, 5)).toEqual([20, 17.5, 15, 12.5, 10])
})

test.each([
  [[1], { seconds: 1, ml: 0.1 }, 8, 9.5, 11],
  [[0.5, 2], { seconds: 1, ml: 0.093 }, 4.3010752688, 13.9784946237, 23.6559139785],
])('a pump for %j mL, by a tracer of %j, runs for %s, %s and %s s', (volumes, tracer, shortest, middle, longest) => {
  const expected = [...Array<number>(4).fill(shortest), middle, middle, ...Array<number>(4).fill(longest)]
  pumpTestSeconds(volumes, tracer).forEach((seconds, index) => {
    expect(seconds).toBeCloseTo(expected[index] ?? 0, 9)
  })
})

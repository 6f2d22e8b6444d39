import { expect, test } from 'vitest'
import { createRandom } from '../../simulation/random.js'

const draw = (seed: number, count: number, kind: 'next' | 'gaussian' = 'next'): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => random[kind]())
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test('the same seed gives the same sequence, another seed another one', () => {
  expect(draw(7, 20)).toEqual(draw(7, 20))
  expect(draw(7, 20)).not.toEqual(draw(8, 20))
})

test('uniform values fill [0, 1) evenly', () => {
  const values = draw(1, 20_000)
  const bins = Array.from({ length: 10 }, () => 0)
  for (const value of values) bins[Math.floor(value * 10)] = (bins[Math.floor(value * 10)] ?? 0) + 1
  expect(bins).toHaveLength(10)
  for (const count of bins) expect(Math.abs(count - 2000)).toBeLessThan(200)
})

test('gaussian values have mean 0, variance 1 and do not repeat their neighbour', () => {
  const values = draw(1, 20_000, 'gaussian')
  expect(Math.abs(mean(values))).toBeLessThan(0.03)
  expect(Math.abs(mean(values.map((value) => value * value)) - 1)).toBeLessThan(0.05)
  expect(Math.abs(mean(values.slice(1).map((value, i) => value * (values[i] ?? 0))))).toBeLessThan(0.03)
})

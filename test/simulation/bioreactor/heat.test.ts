import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Heat, heatAt, mixHeat, stepHeat } from '../../../simulation/bioreactor/heat.js'

const ROOM_C = 22

/** `specs/bioreactor-jobs.md` §8.2: duty cycle and the 21 samples of the probe after the heater went off. */
const DUTY = 45.57
const COOLING = [
  48.427083333333336, 46.520833333333336, 45.208333333333336, 44.135416666666664, 43.270833333333336,
  42.552083333333336, 41.9375, 41.416666666666664, 40.958333333333336, 40.5625, 40.21875, 39.9375, 39.625,
  39.427083333333336, 39.1875, 39.0, 38.8125, 38.625, 38.5, 38.3125, 38.1875,
]
/** What the regression of §4.5.2 makes of them. */
const CULTURE_C = 38.72727498714722

/** §4.5.1: every 200 s 21 samples, each taking 0.3 s and followed by 5 s; a sample is the mean over its time. The rest is heated. */
const PERIOD_S = 200
const GAP_S = 5.3
const HEATED_S = PERIOD_S - 21 * GAP_S
const MIDDLE_S = 0.15

/** @param stepS How finely to integrate. */
function elapse(seconds: number, heat: Heat, heaterPercent: number, { volumeMl = 15, stepS = 1 } = {}): Heat {
  let state = heat
  for (let left = seconds; left > 1e-9; left -= stepS) {
    state = stepHeat(state, { heaterPercent, volumeMl, roomC: ROOM_C }, Math.min(stepS, left))
  }
  return state
}

/** The thermostat's cycle until it repeats itself, then the samples of one more. */
function coolingSeries(duty: number): { readonly probe: readonly number[]; readonly culture: readonly number[] } {
  let heat = heatAt(ROOM_C)
  const [probe, culture]: [number[], number[]] = [[], []]
  for (let cycle = 0; cycle < 100; cycle++) {
    heat = elapse(HEATED_S, heat, duty)
    heat = elapse(MIDDLE_S, heat, 0)
    probe.length = 0
    culture.length = 0
    for (let sample = 0; sample < COOLING.length; sample++) {
      probe.push(heat.heaterBoardC)
      culture.push(heat.cultureC)
      heat = elapse(sample === COOLING.length - 1 ? GAP_S - MIDDLE_S : GAP_S, heat, 0)
    }
  }
  return { probe, culture }
}

describe('the recorded cooling of a real vial', () => {
  const { probe, culture } = coolingSeries(DUTY)
  const errors = probe.map((celsius, index) => celsius - (COOLING[index] ?? 0))

  test('is reproduced within 0.05 °C at every sample and 0.015 °C in all', () => {
    for (const error of errors) expect(Math.abs(error)).toBeLessThan(0.05)
    const meanSquare = errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length
    expect(Math.sqrt(meanSquare)).toBeLessThan(0.015)
  })

  test('holds the culture where the inference from it says, which hardly moves meanwhile', () => {
    for (const celsius of culture) expect(Math.abs(celsius - CULTURE_C)).toBeLessThan(0.15)
  })
})

const anyHeat = fc.record({
  heaterBoardC: fc.double({ min: ROOM_C, max: 80, noNaN: true }),
  padC: fc.double({ min: ROOM_C, max: 80, noNaN: true }),
  wallC: fc.double({ min: ROOM_C, max: 80, noNaN: true }),
  cultureC: fc.double({ min: ROOM_C, max: 80, noNaN: true }),
})

const hottest = (heat: Heat): number => Math.max(...Object.values(heat))
const coldest = (heat: Heat): number => Math.min(...Object.values(heat))

test('without heating nothing gets warmer than the warmest part nor colder than the room', () => {
  fc.assert(
    fc.property(anyHeat, fc.double({ min: 0.5, max: 40, noNaN: true }), (heat, volumeMl) => {
      const after = elapse(30, heat, 0, { volumeMl })
      expect(hottest(after)).toBeLessThanOrEqual(hottest(heat) + 1e-9)
      expect(coldest(after)).toBeGreaterThanOrEqual(ROOM_C - 1e-9)
    }),
  )
})

test('from rest the culture stays between the room and the heater board, which is warmest', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), fc.integer({ min: 1, max: 600 }), (duty, seconds) => {
      const { heaterBoardC, padC, wallC, cultureC } = elapse(seconds, heatAt(ROOM_C), duty)
      const outwards = [heaterBoardC, padC, wallC, cultureC, ROOM_C]
      for (const [index, celsius] of outwards.slice(1).entries()) {
        expect(celsius).toBeLessThanOrEqual((outwards[index] ?? 0) + 1e-9)
      }
    }),
  )
})

test('steps of a second are as good as small ones', () => {
  const [coarse, fine] = [1, 0.05].map((stepS) => elapse(100, heatAt(ROOM_C), 100, { stepS }))
  expect(coarse?.heaterBoardC).toBeCloseTo(fine?.heaterBoardC ?? 0, 2)
  expect(coarse?.cultureC).toBeCloseTo(fine?.cultureC ?? 0, 3)
})

test('full power for good passes the limit at which a unit shuts down', () => {
  expect(elapse(3 * 3600, heatAt(ROOM_C), 100).heaterBoardC).toBeGreaterThan(85)
})

test('cold medium cools the culture by its share', () => {
  expect(mixHeat({ ...heatAt(ROOM_C), cultureC: 37 }, 14, 1, ROOM_C).cultureC).toBeCloseTo(36, 6)
})

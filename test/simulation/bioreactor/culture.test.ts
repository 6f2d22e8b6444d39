import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Culture,
  concentrateCulture,
  diluteCulture,
  growCulture,
  netGrowthPerHour,
  odOf,
  defaultCultureParameters as parameters,
  warmth,
} from '../../../simulation/bioreactor/culture.js'

const [, BEST_C] = parameters.cardinalC
const at = (cultureC: number, altMediaFraction = 0) => ({ cultureC, altMediaFraction })
const ready: Culture = { viableOd: 0.1, deadOd: 0, nutrient: 1, readiness: 1e6 }

function grow(hours: number, culture: Culture, habitat = at(37), changed: Partial<typeof parameters> = {}): Culture {
  let state = culture
  for (let second = 0; second < hours * 3600; second++) {
    state = growCulture(state, habitat, { ...parameters, ...changed }, 1)
  }
  return state
}

const anyCulture = fc.record({
  viableOd: fc.double({ min: 0, max: 10, noNaN: true }),
  deadOd: fc.double({ min: 0, max: 10, noNaN: true }),
  nutrient: fc.double({ min: 0, max: 1, noNaN: true }),
  readiness: fc.double({ min: 0, max: 1e6, noNaN: true }),
})

test('growth takes the nutrient it is made of, and nothing falls below 0', () => {
  fc.assert(
    fc.property(
      anyCulture,
      fc.double({ min: 0, max: 90, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (culture, cultureC, alt) => {
        const after = growCulture(culture, at(cultureC, alt), { ...parameters, lysisPerHour: 0 }, 5)
        const made = odOf(after) - odOf(culture)
        expect(made).toBeCloseTo((culture.nutrient - after.nutrient) * parameters.yieldOd, 9)
        expect(made).toBeGreaterThanOrEqual(-1e-12)
        for (const amount of Object.values(after)) expect(amount).toBeGreaterThanOrEqual(0)
      },
    ),
  )
})

test('dilution and evaporation change concentrations, never amounts', () => {
  fc.assert(
    fc.property(anyCulture, fc.double({ min: 0, max: 1, noNaN: true }), (culture, kept) => {
      expect(odOf(diluteCulture(culture, kept))).toBeCloseTo(odOf(culture) * kept, 9)
      expect(diluteCulture(culture, kept).nutrient).toBeLessThanOrEqual(1 + 1e-12)
      expect(odOf(concentrateCulture(culture, 1.01))).toBeCloseTo(odOf(culture) * 1.01, 9)
    }),
  )
})

describe('growth', () => {
  test('is exponential at the rate of the temperature while nutrient abounds', () => {
    const rate = 2 * Math.log(odOf(grow(0.5, ready)) / odOf(ready))
    const fastest = parameters.growthRatePerHour * warmth(37, parameters.cardinalC)
    expect(rate).toBeGreaterThan(0.93 * fastest)
    expect(rate).toBeLessThan(fastest)
  })

  test('begins after a lag that is longer the less ready the cells are', () => {
    const inAnHour = (readiness: number) => odOf(grow(1, { ...ready, readiness }))
    const [soon, later] = [inAnHour(1), inAnHour(0.01)]
    expect(later - 0.1).toBeLessThan(0.1 * (soon - 0.1))
    expect(odOf(grow(8, { ...ready, readiness: 0.01 }))).toBeGreaterThan(1)
  })

  test('ends when the nutrient is used up; then the culture slowly dies', () => {
    const saturated = grow(6, { ...ready, viableOd: 3 })
    expect(saturated.nutrient).toBeLessThan(0.01)
    expect(odOf(saturated)).toBeGreaterThan(3 + 0.95 * parameters.yieldOd)
    const starved = grow(24, saturated)
    expect(starved.viableOd).toBeLessThan(saturated.viableOd)
    expect(netGrowthPerHour(starved, at(37), parameters)).toBeLessThan(0)
  })

  test('is halved by the inhibiting share of alternative medium', () => {
    const rate = (alt: number) => netGrowthPerHour(ready, at(30, alt), parameters)
    expect(rate(parameters.inhibitingFraction) / rate(0)).toBeCloseTo(0.5, 6)
    expect(rate(0.5)).toBeLessThan(rate(parameters.inhibitingFraction))
  })

  test('the rate that is told is the one that comes', () => {
    const culture = { ...ready, viableOd: 0.5, deadOd: 0.3, nutrient: 0.4 }
    const told = netGrowthPerHour(culture, at(37), parameters)
    const minute = grow(1 / 60, culture)
    // What dies in a minute still scatters light, so only lysis of the dead counts.
    expect(Math.log(odOf(minute) / odOf(culture)) * 60).toBeCloseTo(told, 2)
  })
})

describe('temperature', () => {
  test('growth is fastest at the best temperature and stops at both ends', () => {
    const [least, best, most] = parameters.cardinalC
    expect(warmth(best, parameters.cardinalC)).toBeCloseTo(1, 12)
    for (const celsius of [least, most, least - 5, most + 5]) expect(warmth(celsius, parameters.cardinalC)).toBe(0)
    for (const celsius of [22, 30, 37, 45]) {
      expect(warmth(celsius, parameters.cardinalC)).toBeGreaterThan(0)
      expect(warmth(celsius, parameters.cardinalC)).toBeLessThan(1)
    }
  })

  test('heat kills: five minutes at 55 °C leave a tenth', () => {
    expect(grow(5 / 60, ready, at(55)).viableOd / ready.viableOd).toBeCloseTo(0.1, 2)
    expect(grow(1, ready, at(BEST_C)).viableOd).toBeGreaterThan(ready.viableOd)
  })
})

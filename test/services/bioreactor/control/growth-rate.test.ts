import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { check } from '../../../../events/schema.js'
import {
  type GrowthOutcome,
  type GrowthSettings,
  GrowthState,
  growthDosed,
  growthObserved,
  startGrowth,
} from '../../../../services/bioreactor/control/growth/growth-rate.js'
import { createRandom } from '../../../../simulation/random.js'

const settings: GrowthSettings = { intervalS: 5, warmUpReadings: 10, outlierThreshold: 5 }

/** A culture that grows, seen every 5 s by one photodiode with 0.6 % of noise. */
class Culture {
  state: GrowthState
  atS = 1_700_000_000
  od = 0.3
  readonly outcomes: GrowthOutcome[] = []
  readonly #random
  readonly #ratePerH: number

  constructor(ratePerH: number, { seed = 1, state = startGrowth() } = {}) {
    this.#ratePerH = ratePerH
    this.#random = createRandom(seed)
    this.state = state
  }

  pass(seconds: number): void {
    this.atS += seconds
    this.od *= Math.exp((this.#ratePerH * seconds) / 3600)
  }

  read(od = this.od * (1 + 0.006 * this.#random.gaussian()), atS = this.atS): GrowthOutcome {
    const { state, outcome } = growthObserved(this.state, { atS, od: { '2': 0.4 * od } }, settings)
    this.state = state
    this.outcomes.push(outcome)
    return outcome
  }

  run(readings: number): void {
    for (let reading = 0; reading < readings; reading++) {
      this.pass(5)
      this.read()
    }
  }

  /** Medium into 14 mL. @param known whether the filter learns how much */
  dose(ml: number, known: boolean): void {
    const dilution = Math.log(14 / (14 + ml))
    this.od *= Math.exp(dilution)
    this.state = growthDosed(this.state, known ? dilution : null)
  }

  get rates(): readonly number[] {
    return this.outcomes.flatMap((outcome) => (outcome.kind === 'rate' ? [outcome.growth_rate] : []))
  }
}

const hours = (count: number): number => count * 720

describe('the growth rate', () => {
  test('is told from the sixteenth reading on: five are skipped, ten are the statistics', () => {
    const culture = new Culture(0.3)
    culture.run(16)
    expect(culture.outcomes.map(({ kind }) => kind)).toEqual([...Array<string>(15).fill('waiting'), 'rate'])
  })

  test.each([0, 0.2, 0.7, -0.1])('comes within 0.03 h⁻¹ of %s h⁻¹', (rate) => {
    const culture = new Culture(rate)
    culture.run(hours(3))
    const settled = culture.rates.slice(hours(1.5))
    expect(Math.max(...settled.map((found) => Math.abs(found - rate)))).toBeLessThan(0.03)
  })

  test.each([
    [0.3, true],
    [0.3, false],
    [0.7, true],
    [0.7, false],
    [1.8, true],
    [1.8, false],
  ])('stays within a tenth of %s h⁻¹ in a turbidostat, sizes of doses known: %s', (rate, known) => {
    const culture = new Culture(rate)
    for (let reading = 0; reading < hours(10); reading++) {
      culture.run(1)
      if (culture.od > 0.5 && culture.rates.length > 0) culture.dose(0.5, known)
    }
    const settled = culture.rates.slice(hours(5))
    const worst = Math.max(...settled.map((found) => Math.abs(found / rate - 1)))
    expect(worst).toBeLessThan(0.1)
  })

  test('an outlier hardly moves it', () => {
    const culture = new Culture(0.3)
    culture.run(hours(2))
    const before = culture.rates.at(-1) ?? 0
    culture.pass(5)
    expect(culture.read(3 * culture.od)).toMatchObject({ kind: 'rate', isOutlier: true })
    expect(culture.rates.at(-1)).toBeCloseTo(before, 2)
  })

  test('a dose in the warm-up begins it anew', () => {
    const culture = new Culture(0.3)
    culture.run(14)
    culture.dose(1, true)
    culture.run(10)
    expect(culture.rates).toEqual([])
    culture.run(1)
    expect(culture.rates).toHaveLength(1)
  })

  test('what is restored from JSON goes on as if nothing had been', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 9 }), (before, seed) => {
        const whole = new Culture(0.5, { seed })
        whole.run(before)
        const restored = new Culture(0.5, { state: check(GrowthState, JSON.parse(JSON.stringify(whole.state))) })
        restored.atS = whole.atS
        restored.od = whole.od
        for (let reading = 0; reading < 20; reading++) {
          whole.pass(5)
          restored.pass(5)
          const od = whole.od * (reading % 3 === 0 ? 1.004 : 0.998)
          expect(restored.read(od)).toEqual(whole.read(od))
        }
        expect(restored.state).toEqual(whole.state)
      }),
    )
  })

  test('a gap of minutes is bridged, one of an hour begins the statistics anew with the same factors', () => {
    const culture = new Culture(0.5)
    culture.run(hours(2))
    const { factors } = culture.state
    culture.pass(600)
    culture.run(1)
    expect(culture.rates.at(-1)).toBeCloseTo(0.5, 1)
    culture.pass(3600)
    culture.run(10)
    expect(culture.outcomes.slice(-10).map(({ kind }) => kind)).toEqual(Array<string>(10).fill('waiting'))
    culture.run(1)
    expect(culture.outcomes.at(-1)).toMatchObject({ kind: 'rate' })
    expect(culture.state.factors).toEqual(factors)
  })

  test('a clock set back by a little skips readings, by a day begins anew', () => {
    const culture = new Culture(0.5)
    culture.run(40)
    const { state } = culture
    expect(culture.read(culture.od, culture.atS - 3)).toMatchObject({ kind: 'skipped' })
    expect(culture.state).toBe(state)
    culture.atS -= 86_400
    culture.run(11)
    expect(culture.outcomes.slice(-11).map(({ kind }) => kind)).toEqual([...Array<string>(10).fill('waiting'), 'rate'])
  })

  test('readings that are not positive are skipped, and fail the warm-up', () => {
    const culture = new Culture(0.5)
    culture.run(5)
    for (let reading = 0; reading < 10; reading++) {
      culture.pass(5)
      culture.read(reading === 3 ? -0.1 : 0.3)
    }
    expect(culture.outcomes.at(-1)).toMatchObject({ kind: 'failed' })
    culture.run(12)
    const { state } = culture
    expect(culture.read(0)).toMatchObject({ kind: 'skipped' })
    expect(culture.state).toBe(state)
  })

  test('another set of photodiodes begins anew', () => {
    const culture = new Culture(0.5)
    culture.run(30)
    const { outcome, state } = growthObserved(
      culture.state,
      { atS: culture.atS + 5, od: { '1': 0.2, '2': 0.1 } },
      settings,
    )
    expect(outcome).toEqual({ kind: 'waiting' })
    expect(state.filter).toBeNull()
  })

  test('the factors of the experiment are kept', () => {
    const culture = new Culture(0, { state: startGrowth({ '2': 0.06 }) })
    culture.run(16)
    expect(culture.outcomes.at(-1)).toMatchObject({ kind: 'rate' })
    const { od_filtered } = culture.outcomes.at(-1) as Extract<GrowthOutcome, { kind: 'rate' }>
    expect(od_filtered).toBeCloseTo(2, 1)
  })
})

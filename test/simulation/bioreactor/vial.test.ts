import { describe, expect, test } from 'vitest'
import {
  createVial,
  defaultParameters,
  stepVial,
  type Vial,
  type VialInputs,
} from '../../../simulation/bioreactor/vial.js'

const OFF: VialInputs = { stirrer: 0, heater: 0, media: 0, altMedia: 0, waste: 0 }

/** @param stepS The stirrer wants fine steps, everything else is slow. */
function elapse(
  seconds: number,
  inputs: Partial<VialInputs>,
  vial: Vial,
  parameters = defaultParameters,
  stepS = 1,
): Vial {
  let state = vial
  for (let step = 0; step < Math.round(seconds / stepS); step++) {
    state = stepVial(state, { ...OFF, ...inputs }, parameters, stepS)
  }
  return state
}

const spin = (seconds: number, percent: number, vial: Vial): Vial =>
  elapse(seconds, { stirrer: percent }, vial, defaultParameters, 0.05)

describe('growth', () => {
  const warm = { ...createVial({ od: 0.1, roomC: 35 }), readiness: 1e6 }
  const parameters = { ...defaultParameters, roomC: 35 }

  test('is exponential at the maximal rate while nutrient abounds', () => {
    const grown = elapse(1800, {}, warm, parameters)
    const rate = Math.log(grown.od / warm.od) / 0.5
    expect(rate).toBeGreaterThan(0.93 * parameters.growthRatePerHour)
    expect(rate).toBeLessThan(parameters.growthRatePerHour)
  })

  test('begins slower after inoculation than later', () => {
    const [fresh, later] = [{ ...warm, readiness: 0.1 }, warm]
    expect(elapse(600, {}, fresh, parameters).od - 0.1).toBeLessThan(
      0.3 * (elapse(600, {}, later, parameters).od - 0.1),
    )
  })

  test('ends when the nutrient is used up', () => {
    const saturated = elapse(5 * 3600, {}, { ...warm, od: 3 }, parameters)
    expect(saturated.nutrient).toBeLessThan(0.01)
    expect(saturated.od).toBeCloseTo(3 + parameters.yieldOd, 1)
  })

  test('stops in the heat', () => {
    const hot = { ...warm, cultureC: 65, heaterC: 65 }
    expect(stepVial(hot, OFF, parameters, 0.05).od).toBe(hot.od)
  })
})

describe('liquid', () => {
  const vial = createVial({ od: 1, volumeMl: 14 })

  test('fresh medium dilutes the cells and adds volume', () => {
    const fed = elapse(20, { media: 100 }, vial)
    expect(fed.volumeMl).toBeCloseTo(14 + 20 * 0.0911, 1)
    expect(fed.od).toBeCloseTo((14 / fed.volumeMl) * 1, 1)
    expect(fed.od * fed.volumeMl).toBeCloseTo(14, 0)
  })

  test('waste is drawn no deeper than its tube', () => {
    expect(elapse(60, { waste: 100 }, { ...vial, volumeMl: 16 }).volumeMl).toBeCloseTo(14, 6)
    expect(elapse(60, { waste: 100 }, { ...vial, volumeMl: 10 }).volumeMl).toBe(10)
  })

  test('the vessel overflows at its brim', () => {
    expect(elapse(120, { media: 100, altMedia: 100 }, vial).volumeMl).toBe(defaultParameters.capacityMl)
  })
})

describe('heat', () => {
  test('the board warms first, the culture follows and stays cooler', () => {
    const warming = elapse(60, { heater: 25 }, createVial())
    expect(warming.heaterC).toBeGreaterThan(warming.cultureC + 3)
    const settled = elapse(3 * 3600, { heater: 25 }, createVial())
    expect(settled.cultureC).toBeGreaterThan(32)
    expect(settled.heaterC).toBeLessThan(60)
  })

  test('without heating everything ends at room temperature', () => {
    const cold = elapse(4 * 3600, {}, { ...createVial(), heaterC: 60, cultureC: 40 })
    expect(cold.heaterC).toBeCloseTo(defaultParameters.roomC, 0)
    expect(cold.cultureC).toBeCloseTo(defaultParameters.roomC, 0)
  })
})

describe('stirrer', () => {
  test('30 % turn it at about 500 RPM, after a moment', () => {
    expect(spin(0.2, 30, createVial()).stirrerRpm).toBeLessThan(300)
    expect(spin(5, 30, createVial()).stirrerRpm).toBeCloseTo(501, 0)
  })

  test('a duty that keeps it turning may not start it', () => {
    const turning = spin(5, 30, createVial())
    expect(spin(5, 8, turning).stirrerRpm).toBeGreaterThan(100)
    expect(spin(5, 8, createVial()).stirrerRpm).toBe(0)
    expect(spin(5, 4, turning).stirrerRpm).toBe(0)
  })
})

import { describe, expect, test } from 'vitest'
import { type GrowthFilter, growthStep } from '../../../../services/bioreactor/control/growth/growth-filter.js'
import { startFilter } from '../../../../services/bioreactor/control/growth/od-statistics.js'

const INTERVAL_H = 5 / 3600
const FACTOR = 0.1002
const WARM_UP = [0.1, 0.1004, 0.0998, 0.1002, 0.1001, 0.1007, 0.0999, 0.1003, 0.1005, 0.1002]

const started = (): GrowthFilter =>
  startFilter(
    WARM_UP.map((od) => [od / FACTOR]),
    INTERVAL_H,
  )

const stepped = (filter: GrowthFilter, od: number, more: { dosed?: boolean; dilution?: number } = {}) =>
  growthStep(filter, { od: [od / FACTOR], elapsedH: INTERVAL_H, dosed: false, ...more }, 5) ??
  expect.fail('out of range')

describe('the growth-rate filter', () => {
  test('begins with what the warm-up shows', () => {
    const { x, P, Q, R, baseLogVariance, logVariance } = started()
    expect(x[0]).toBeCloseTo(0.00099750631712556, 15)
    expect([x[1], x[2]]).toEqual([0, 0])
    expect([P[0][0], P[1][1], P[2][2]].map((value) => Number(value.toPrecision(12)))).toEqual([0.0025, 0.0009, 0.0025])
    expect(Q).toEqual([1e-8, 5e-8, 5e-6])
    expect(R.map((value) => Number(value.toPrecision(12)))).toEqual([2.5e-5])
    expect(baseLogVariance).toBeCloseTo(7.48505232060548e-5, 18)
    expect(logVariance).toBe(baseLogVariance)
  })

  test('follows readings, an outlier and a dose of unknown size', () => {
    const rows = [
      [0.1003, 0, 0.000997506, 0.0, 0.0, 7.267464e-5, 9.000542e-4],
      [0.1006, 0, 0.002468884, 0.000026041, 0.000000146, 3.687631e-5, 9.001074e-4],
      [0.1004, 0, 0.002312237, 0.000017959, 0.00000008, 2.471883e-5, 9.001488e-4],
      [0.15, 0, 0.004352623, 0.000226274, 0.000002291, 2.46083e-5, 9.002306e-4],
      [0.1008, 0, 0.004753304, 0.000287451, 0.000003053, 1.853026e-5, 9.001806e-4],
      [0.095, 1, -0.053193907, 0.000282726, 0.000002967, 8.392328e-5, 1.000282e-3],
      [0.0952, 1, -0.051191593, 0.000282786, 0.000002953, 8.35718e-5, 1.100392e-3],
      [0.0953, 0, -0.050664638, 0.000292434, 0.000003156, 4.177995e-5, 1.100497e-3],
    ] as const
    let filter = started()
    const { baseLogVariance } = filter
    for (const [od, dosed, log, rate, drift, P00, P11] of rows) {
      const step = stepped(filter, od, { dosed: dosed === 1 })
      filter = step.filter
      expect(filter.x[0]).toBeCloseTo(log, 9)
      expect(filter.x[1]).toBeCloseTo(rate, 9)
      expect(filter.x[2]).toBeCloseTo(drift, 9)
      expect(filter.P[0][0] / P00).toBeCloseTo(1, 6)
      expect(filter.P[1][1] / P11).toBeCloseTo(1, 6)
      expect(filter.logVariance).toBe(baseLogVariance)
      expect(step.isOutlier).toBe(od === 0.15)
    }
  })

  test('expects what a dose of known size does, and is not led astray by it', () => {
    let filter = started()
    for (let reading = 0; reading < 100; reading++) filter = stepped(filter, 0.1002).filter
    const diluted = 0.1002 * (14 / 14.5)
    const known = stepped(filter, diluted, { dilution: Math.log(14 / 14.5) })
    expect(Math.abs(known.deviation)).toBeLessThan(0.1)
    expect(known.filter.x[1]).toBeCloseTo(filter.x[1], 3)
    expect(Math.exp(known.filter.x[0])).toBeCloseTo(14 / 14.5, 3)
    expect(Math.abs(stepped(filter, diluted).deviation)).toBeGreaterThan(3)
  })

  test('weighs channels by their scatter', () => {
    const quiet = WARM_UP.map((od) => od / FACTOR)
    const noisy = quiet.map((od, index) => od * (index % 2 === 0 ? 1.2 : 0.8))
    const filter = startFilter(
      quiet.map((od, index) => [od, noisy[index] ?? 0]),
      INTERVAL_H,
    )
    expect(filter.R[1]).toBeGreaterThan((filter.R[0] ?? 0) * 100)
  })

  test('does not go on with numbers out of range', () => {
    expect(growthStep(started(), { od: [Number.NaN], elapsedH: INTERVAL_H, dosed: false }, 5)).toBeNull()
  })
})

import { expect, test } from 'vitest'
import { roundHalfEven } from '../../../../primitives/round.js'
import { chooseIrIntensity } from '../../../../services/bioreactor/control/auto-ir.js'
import { NO_REFERENCE, referenceStep } from '../../../../services/bioreactor/control/reference-tracker.js'

test('reference tracker lets one doubled reading pass at 5 s', () => {
  let state = NO_REFERENCE
  const rows = [0.1, 0.101, 0.099, 0.2, 0.1].map((volts) => {
    const step = referenceStep(state, volts, { alpha: 0.75, intervalS: 5 })
    state = step.state
    return [step.stable, roundHalfEven(state.level ?? 0, 9), roundHalfEven(step.sigma, 9)]
  })
  const expected = [
    [0.1, 0.000974679],
    [0.10025, 0.000975961],
    [0.0999375, 0.00098837],
    [0.124953125, 0.022390358],
    [0.118714844, 0.022275497],
  ] as const
  rows.forEach(([stable, level, sigma], index) => {
    expect(stable).toBe(true)
    expect(level).toBeCloseTo(expected[index]?.[0] ?? 0, 8)
    expect(sigma).toBeCloseTo(expected[index]?.[1] ?? 0, 8)
  })
})

test('reference tracker starts anew after a jump and keeps its level', () => {
  const calm = referenceStep(NO_REFERENCE, 1, { alpha: 0.75, intervalS: 5 }).state
  const jump = referenceStep(calm, 2, { alpha: 0.75, intervalS: 5 })
  expect(jump).toMatchObject({ stable: false, state: { level: 1, baseline: null, power: 1e-6 } })
  expect(referenceStep(jump.state, 2, { alpha: 0.75, intervalS: 5 }).stable).toBe(true)
})

test.each([
  [0.3, 0.05, 70.83],
  [0.2, 0.1, 51.0],
  [0.5, 0.01, 50],
  [0.1, 0.0, 85.0],
])('auto IR for reference %s V and signal %s V is %s %%', (referenceV, signalV, expected) => {
  expect(chooseIrIntensity({ referenceV, signalV })).toBe(expected)
})

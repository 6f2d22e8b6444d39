import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { roundHalfEven } from '../../../../primitives/round.js'
import { emaStep } from '../../../../services/bioreactor/control/ema.js'
import {
  PID_AT_REST,
  type PidSettings,
  pidStep,
  TIMED_PID_AT_REST,
  timedPidStep,
} from '../../../../services/bioreactor/control/pid.js'

const number = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true })

describe('moving average', () => {
  test('weighs the past', () => {
    const seen: number[] = []
    let level: number | null = null
    for (const value of [1.0, 0.9, 0.9, 1.1]) {
      level = emaStep(level, value, 0.75)
      seen.push(level)
    }
    expect(seen.map((value) => roundHalfEven(value, 12))).toEqual([1.0, 0.975, 0.95625, 0.9921875])
  })

  test('never leaves the range of its inputs', () => {
    fc.assert(
      fc.property(
        fc.array(number(1e6), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, alpha) => {
          const last = values.reduce<number | null>((level, value) => emaStep(level, value, alpha), null) ?? 0
          expect(last).toBeGreaterThanOrEqual(Math.min(...values) - 1e-6)
          expect(last).toBeLessThanOrEqual(Math.max(...values) + 1e-6)
        },
      ),
    )
  })
})

describe('PID', () => {
  const outputs = (settings: PidSettings, inputs: readonly number[]): { outputs: number[]; errorSum: number } => {
    let state = PID_AT_REST
    const outputs = inputs.map((input) => {
      const step = pidStep(settings, state, input)
      state = step.state
      return step.terms.output
    })
    return { outputs, errorSum: state.errorSum }
  }

  test.each([
    [
      { Kp: 2.6, Ki: 0, Kd: 4.6, setpoint: 30, low: -25, high: 25 },
      [23.4, 24.9, 27.0, 29.5, 30.4],
      [17.16, 6.36, -1.86, -10.2, -5.18],
    ],
    [
      { Kp: 2.6, Ki: 0.5, Kd: 4.6, setpoint: 30, low: -25, high: 25 },
      [10, 20, 28, 31, 33],
      [25, -7.5, -19.1, -4.4, -6.5],
    ],
    [{ Kp: 0.005, Ki: 0, Kd: 0, setpoint: 500, low: -7.5, high: 7.5 }, [0, 300, 480, 2500], [2.5, 1.0, 0.1, -7.5]],
    [{ Kp: -1, Ki: 0, Kd: 0, setpoint: 0.1, low: 0, high: 1 }, [0.05, 0.12, 0.5, 1.3], [0, 0.02, 0.4, 1]],
  ])('%j', (settings, inputs, expected) => {
    const { outputs: seen } = outputs(settings, inputs)
    for (const [index, value] of expected.entries()) expect(seen[index]).toBeCloseTo(value, 9)
  })

  test('clamps the sum of errors to the output limits', () => {
    const settings = { Kp: 2.6, Ki: 0.5, Kd: 4.6, setpoint: 30, low: -25, high: 25 }
    expect(outputs(settings, [10, 20, 28, 31, 33]).errorSum).toBeCloseTo(21, 9)
  })

  test('its integral alone never asks for more than the output can be, and lets go at once', () => {
    const settings = { Kp: 0, Ki: 5, Kd: 0, setpoint: 30, low: -25, high: 25 }
    const { outputs: seen } = outputs(settings, [...Array.from({ length: 50 }, () => 0), 31, 31])
    expect(seen.slice(-3)).toEqual([25, 20, 15])
  })
})

describe('a PID that is asked at uneven times', () => {
  const settings = { Kp: 0.1, Ki: 0.01, Kd: 0.5, setpoint: 500, low: -75, high: 75 }
  const PERIOD_S = 20
  const ask = (steps: readonly (readonly [nowS: number, input: number, target?: number])[]) => {
    let state = TIMED_PID_AT_REST
    return steps.map(([nowS, input, target = 500]) => {
      const step = timedPidStep({ ...settings, setpoint: target }, state, input, { target, nowS, periodS: PERIOD_S })
      state = step.state
      return step.terms
    })
  }

  test('once a period is the one of the vectors', () => {
    let state = PID_AT_REST
    const plain = [480, 490, 495].map((input) => {
      const step = pidStep(settings, state, input)
      state = step.state
      return step.terms
    })
    expect(ask([480, 490, 495].map((input, index) => [100 + index * PERIOD_S, input]))).toEqual(plain)
  })

  test('half a period adds half as much error, and shows twice the slope', () => {
    const [, whole] = ask([
      [0, 480],
      [20, 490],
    ])
    const [first, half] = ask([
      [0, 480],
      [10, 490],
    ])
    expect(half?.derivative).toBeCloseTo(2 * (whole?.derivative ?? 0), 9)
    const added = (terms?: { readonly integral: number }): number => (terms?.integral ?? 0) - (first?.integral ?? 0)
    expect(added(half)).toBeCloseTo(added(whole) / 2, 9)
  })

  test('begins anew after a gap, and with a clock that stood still', () => {
    const [fresh] = ask([[0, 490]])
    for (const nowS of [61, 3600, 1e6, 0]) {
      const [, later] = ask([
        [0, 480],
        [nowS, 490],
      ])
      expect(later, `${nowS} s`).toEqual(fresh)
    }
  })

  test('takes the errors on the way to one target not for those of another, and gives no kick', () => {
    const [, , other] = ask([
      [0, 480],
      [20, 480],
      [40, 480, 400],
    ])
    expect(other?.integral).toBeCloseTo(0.01 * -75, 9)
    expect(other?.derivative).toBeCloseTo(0, 12)
  })
})

test.each([
  [0.25, 1, 0.2],
  [0.35, 1, 0.3],
  [2.5, 0, 2],
  [3.5, 0, 4],
  [-2.5, 0, -2],
  [76.5, 0, 76],
  [500.06, 1, 500.1],
])('rounds %s to %s digits: %s', (value, digits, rounded) => {
  expect(roundHalfEven(value, digits)).toBeCloseTo(rounded, 12)
})

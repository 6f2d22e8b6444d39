import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { roundHalfEven } from '../../../../primitives/round.js'
import { chooseIrIntensity } from '../../../../services/bioreactor/control/auto-ir.js'
import { type Curve, candidates, evaluate, invert } from '../../../../services/bioreactor/control/curve.js'
import {
  canDodge,
  firstActionAfterS,
  untilNextReadingS,
  waitBeforeReadingS,
} from '../../../../services/bioreactor/control/dodge-schedule.js'
import { emaStep } from '../../../../services/bioreactor/control/ema.js'
import {
  detectMainsHz,
  fitSine,
  meanWithPrior,
  trimExtremes,
} from '../../../../services/bioreactor/control/mains-regression.js'
import { calibratedOd } from '../../../../services/bioreactor/control/od-calibration.js'
import { PID_AT_REST, type PidSettings, pidStep } from '../../../../services/bioreactor/control/pid.js'
import { NO_REFERENCE, referenceStep } from '../../../../services/bioreactor/control/reference-tracker.js'
import { pollWindowS, rpmOf } from '../../../../services/bioreactor/stirring/rpm-sensor.js'
import { nextDuty } from '../../../../services/bioreactor/stirring/stir-bar.js'

// Expected numbers: results of Pioreactor 26.7 for the same inputs.

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
})

describe('mains regression', () => {
  const times = [
    0.0, 0.025133, 0.034033, 0.090449, 0.088132, 0.069581, 0.162296, 0.132528, 0.256526, 0.215541, 0.158322, 0.31862,
  ]
  const values = [
    1013.1054, 985.9565, 1017.5337, 997.0344, 1011.7798, 1027.3537, 976.6981, 1012.6524, 996.5337, 1009.8039, 980.9764,
    1027.7745,
  ]
  const samples = { times, values }

  test('60 Hz without prior', () => {
    const fit = fitSine(trimExtremes(samples), 60)
    expect(fit?.constant).toBeCloseTo(1000.4789086957513, 7)
    expect(fit?.amplitude).toBeCloseTo(23.466314384359414, 7)
    expect(fit?.phase).toBeCloseTo(0.7496366687421427, 7)
    expect(fit?.aic).toBeCloseTo(27.116174362775617, 6)
  })

  test('60 Hz with a prior', () => {
    const fit = fitSine(trimExtremes(samples), 60, { value: 990, weight: 24 })
    expect(fit?.constant).toBeCloseTo(992.4934329516165, 7)
    expect(fit?.amplitude).toBeCloseTo(30.66449299578957, 7)
    expect(fit?.aic).toBeCloseTo(46.26218977669905, 6)
  })

  test('50 Hz explains these samples worse', () => {
    const fit = fitSine(trimExtremes(samples), 50)
    expect(fit?.constant).toBeCloseTo(1002.5158438175519, 7)
    expect(fit?.aic).toBeCloseTo(55.5637530884871, 6)
    expect(detectMainsHz(samples)).toBe(60)
  })

  test('trimmed mean, with and without prior', () => {
    const trimmed = trimExtremes(samples)
    expect(meanWithPrior(trimmed.values)).toBeCloseTo(1005.27299, 7)
    expect(meanWithPrior(trimmed.values, { value: 990, weight: 24 })).toBeCloseTo(994.4920558823529, 7)
  })

  test('samples at one instant determine no sinusoid', () => {
    expect(fitSine({ times: [0.1, 0.1, 0.1, 0.1], values: [1, 2, 3, 4] }, 50)).toBeNull()
  })

  test('finds the constant under mains light of any phase and strength', () => {
    fc.assert(
      fc.property(
        number(3),
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.constantFrom(50 as const, 60 as const),
        (phase, amplitude, hz) => {
          const spread = Array.from({ length: 40 }, (_, k) => 0.011 * k + 0.0218 * ((0.618034 * k) % 1))
          const lit = spread.map((t) => 1000 + amplitude * Math.sin(2 * Math.PI * hz * t + phase))
          expect(fitSine({ times: spread, values: lit }, hz)?.constant).toBeCloseTo(1000, 5)
          if (amplitude > 1) expect(detectMainsHz({ times: spread, values: lit })).toBe(hz)
        },
      ),
    )
  })

  test('removes one smallest and one largest sample, when more than two are left', () => {
    const ofValues = (list: number[]): readonly number[] =>
      trimExtremes({ times: list.map((_, i) => i), values: list }).values
    expect(ofValues([3, 1, 4, 1, 5, 5])).toEqual([3, 4, 1, 5])
    expect(ofValues([2, 2, 2])).toEqual([2])
    expect(ofValues([2, 1])).toEqual([2, 1])
  })
})

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

describe('stirring', () => {
  const inverse = (rpm: number): number => (rpm + 5) / 10

  test('duty cycle estimates along a linear calibration', () => {
    const start = nextDuty(inverse(500), inverse(500))
    expect(start).toBeCloseTo(53.025, 9)
    const second = nextDuty(start, inverse(600))
    expect(second).toBeCloseTo(62.740125, 9)
    const third = nextDuty(second, inverse(600))
    expect(third).toBeCloseTo(63.760213125, 9)
    expect(nextDuty(second, inverse(700))).toBeCloseTo(73.210213125, 1)
  })

  test.each([
    [500, 1.2],
    [1000, 1.0],
    [60, 5.0],
    [0, 1.0],
  ])('polls %s RPM for %s s', (rpm, seconds) => {
    expect(pollWindowS(rpm)).toBeCloseTo(seconds, 12)
  })

  test.each([
    [[0, 0.12, 0.24, 0.36], 500],
    [[0, 0.1201, 0.2398, 0.3605, 0.4799], 500.1],
    [[7], 0],
    [[], 0],
  ])('edges at %j are %s RPM', (edges, rpm) => {
    expect(rpmOf(edges)).toBe(rpm)
  })
})

describe('acting around readings', () => {
  const at = (intervalS: number) => ({ intervalS, firstObsS: 100 })

  test.each([
    [5, 112, { preS: 1.5, postS: 0.5 }, 0.2, 3.0, 1.5],
    [10, 107.5, { preS: 1, postS: 0.5 }, 0.1, 2.5, 1.5],
  ])('interval %s s at %s s', (interval, now, delays, action, next, wait) => {
    expect(untilNextReadingS(at(interval), now)).toBeCloseTo(next, 9)
    expect(waitBeforeReadingS(at(interval), delays, action, now)).toBeCloseTo(wait, 9)
  })

  test('on a reading the next one is a whole interval away', () => {
    expect(untilNextReadingS(at(5), 105)).toBe(5)
  })

  test('an interval without time for both delays is refused', () => {
    expect(waitBeforeReadingS(at(4), { preS: 1.5, postS: 1.5 }, 0.6, 101)).toBeNull()
    expect(canDodge(at(4), { preS: 1.5, postS: 1.5 })).toBe(false)
    expect(canDodge(at(5), { preS: 1.5, postS: 0.25 })).toBe(true)
  })

  test('the first action comes after the reading', () => {
    expect(firstActionAfterS(at(5), { preS: 1.5, postS: 0.5 }, 112)).toBeCloseTo(3 + 0.5 + 1, 9)
  })
})

describe('curves', () => {
  const akima: Curve = {
    type: 'akima',
    knots: [0, 0.25, 0.5, 1, 2, 4],
    coefficients: [
      [0.01, 0.2, 0, 0],
      [0.06, 0.2, 0, 0],
      [0.11, 0.2, -0.066666667, 0.053333333],
      [0.2, 0.173333333, -0.013333333, 0],
      [0.36, 0.146666667, -0.016666667, 0.001666667],
    ],
  }
  const spline: Curve = {
    type: 'spline',
    knots: [0, 1, 2, 3],
    coefficients: [
      [2, -2.1333333333, 0, 1.1333333333],
      [1, 1.2666666667, 3.4, -2.6666666667],
      [3, 0.0666666667, -4.6, 1.5333333333],
    ],
  }
  const poly = (...coefficients: number[]): Curve => ({ type: 'poly', coefficients })

  test('values inside and beyond the knots', () => {
    expect(evaluate(akima, 0.7)).toBeCloseTo(0.14776, 6)
    expect(evaluate(akima, 5)).toBeCloseTo(0.695, 6)
    expect(evaluate(poly(5, 3, 2), 2)).toBe(28)
    const known = [
      [-1, 3.0],
      [0.5, 1.075],
      [1.5, 2.15],
      [2.9, 0.4518],
      [4, -3.0],
    ] as const
    for (const [x, y] of known) expect(evaluate(spline, x)).toBeCloseTo(y, 6)
  })

  test('all candidates of a piecewise cubic', () => {
    const expected = [-1.4768484267, 0.2418942701, 1.2550532142, 2.6552598382, 4.8657062568]
    const found = candidates(spline, 1.5)
    expect(found).toHaveLength(5)
    for (const [index, x] of found.entries()) expect(x).toBeCloseTo(expected[index] ?? 0, 7)
    expect(candidates(akima, 0.3).find((x) => x > 0 && x < 4)).toBeCloseTo(1.605086938724202, 7)
  })

  test('a flat piece gives both its ends', () => {
    const flat: Curve = {
      type: 'spline',
      knots: [0, 1, 2, 3],
      coefficients: [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
      ],
    }
    expect(candidates(flat, 1)).toEqual([1, 2])
    expect(candidates(flat, 0.5)).toEqual([0.5])
    expect(candidates(flat, 5)).toEqual([6])
    expect(candidates({ type: 'spline', knots: [0, 1], coefficients: [[1, 0, 0, 0]] }, 1)).toEqual([])
  })

  test.each([
    [poly(5, 3, 2), 12, [0, 2], { kind: 'inside', x: 1.1456832295 }],
    [poly(1, 0, 5), -10, [0, 2], { kind: 'none' }],
    [poly(1, 0, -6), 0, [0, 3], { kind: 'inside', x: 2.4494897428 }],
    [poly(5, 3, 2), 1.99, [0, 1], { kind: 'below' }],
    [poly(25, -10, 1), 50, [0, 1], { kind: 'above' }],
    [poly(1.4383526269350404, 8.038873388460928e-14), 0, [0, 1000], { kind: 'inside', x: 0 }],
    [poly(2, 1), 5, [0, 1], { kind: 'above' }],
    [poly(0.01, 0.29366036769860127, 0.043041342779715615, 0.3), 3.3420673376465, [0, 3], { kind: 'inside', x: 3 }],
    [poly(2, 1), -1, [0, 1], { kind: 'below' }],
    [poly(3), 3, [0, 1], { kind: 'none' }],
    [poly(0, 2, 1), 2, [0, 1], { kind: 'inside', x: 0.5 }],
    [poly(1, -6, 11, -6), 0, [0, 10], { kind: 'inside', x: 1 }],
    [poly(1, -6, 11, -6), 0, [1.5, 10], { kind: 'inside', x: 2 }],
    [poly(), 1, [0, 1], { kind: 'none' }],
    [spline, 2.5, [0, 3], { kind: 'inside', x: 1.6381850588 }],
    [spline, 10, [0, 3], { kind: 'above' }],
    [spline, -50, [0, 3], { kind: 'below' }],
  ] as const)('inverse %# of %j at %s', (curve, y, domain, expected) => {
    const found = invert(curve, y, domain)
    expect(found.kind).toBe(expected.kind)
    if (found.kind === 'inside' && 'x' in expected) expect(found.x).toBeCloseTo(expected.x, 7)
  })

  test('what a rising curve gives for x is inverted to x', () => {
    const positive = fc.double({ min: 0.01, max: 10, noNaN: true })
    fc.assert(
      fc.property(positive, positive, positive, fc.double({ min: 0, max: 3, noNaN: true }), (a, b, c, x) => {
        const rising = poly(a, b, c, 0.3)
        const found = invert(rising, evaluate(rising, x), [0, 3])
        expect(found.kind).toBe('inside')
        if (found.kind === 'inside') expect(found.x).toBeCloseTo(x, 6)
      }),
    )
  })

  test.each([
    [0.6, 1],
    [0.4, 0.5657414541],
    [0.3, 0.3333333333],
    [0.2, 0.1528729116],
    [0.05, 0],
  ])('a calibration with a maximum gives OD for %s V', (volts, od) => {
    const curve = { curve: poly(-0.3, 0.7, 0.1), recorded: { x: [0, 1, 2], y: [0.1, 0.5, 0.3] } }
    expect(calibratedOd(curve, volts).od).toBeCloseTo(od, 9)
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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Curve, candidates, evaluate, invert } from '../../../../services/bioreactor/control/curve.js'
import { calibratedOd } from '../../../../services/bioreactor/control/od-calibration.js'

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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Curve,
  candidates,
  evaluate,
  invertUnbounded,
  slopeAt,
} from '../../../../services/bioreactor/control/curve.js'
import { interpolateAkima } from '../../../../services/bioreactor/control/curve-fit/akima.js'
import { CurveNotFitted } from '../../../../services/bioreactor/control/curve-fit/points.js'
import { fitPolynomial, fitThroughOrigin } from '../../../../services/bioreactor/control/curve-fit/polynomial.js'
import { fitSpline, interpolateSpline } from '../../../../services/bioreactor/control/curve-fit/spline.js'

const x = [0, 0.25, 0.5, 1, 2, 4]
const y = [0.01, 0.06, 0.11, 0.2, 0.36, 0.6]

const rows = (curve: Curve): readonly (readonly number[])[] =>
  curve.type === 'poly' ? [curve.coefficients] : curve.coefficients
const knotsOf = (curve: Curve): readonly number[] => (curve.type === 'poly' ? [] : curve.knots)

function expectRows(curve: Curve, expected: readonly (readonly number[])[], digits = 9): void {
  expect(rows(curve)).toHaveLength(expected.length)
  expected.forEach((row, piece) => {
    row.forEach((value, power) => {
      expect(rows(curve)[piece]?.[power]).toBeCloseTo(value, digits)
    })
  })
}

describe('one set of points, three kinds of curve', () => {
  test('Akima', () => {
    const curve = interpolateAkima({ x, y })
    expectRows(
      curve,
      [
        [0.01, 0.2, 0, 0],
        [0.06, 0.2, 0, 0],
        [0.11, 0.2, -0.066666667, 0.053333333],
        [0.2, 0.173333333, -0.013333333, 0],
        [0.36, 0.146666667, -0.016666667, 0.001666667],
      ],
      8,
    )
    expect(evaluate(curve, 0.7)).toBeCloseTo(0.14776, 12)
    expect(evaluate(curve, 5)).toBeCloseTo(0.695, 12)
    expect(invertUnbounded(curve, 0.3, [0, 4])).toBeCloseTo(1.605086938724202, 9)
  })

  test('spline', () => {
    const curve = fitSpline({ x, y })
    expect(knotsOf(curve)).toEqual([0, 0.75, 4])
    expectRows(curve, [
      [0.009506321, 0.202675928, 0, -0.010108927],
      [0.157248564, 0.185617114, -0.022745086, 0.002332829],
    ])
    expect(evaluate(curve, 0.7)).toBeCloseTo(0.1479121089, 9)
    const inverse = candidates(curve, 0.3)
    expect(inverse).toHaveLength(2)
    expect(inverse[0]).toBeCloseTo(-5.0710855308, 8)
    expect(inverse[1]).toBeCloseTo(1.5998524144, 8)
  })

  test('polynomial', () => {
    const curve = fitPolynomial({ x, y })
    expectRows(curve, [[-0.0138844086, 0.20283534946, 0.01065625]])
    expect(evaluate(curve, 0.7)).toBeCloseTo(0.1458376344, 9)
    expect(candidates(curve, 0.3).map((at) => Number(at.toFixed(7)))).toEqual([1.602218, 13.0066397])
  })
})

describe('polynomials', () => {
  test.each([
    [{ x: [0, 1, 2, 3], y: [1, 2, 5, 10] }, 2, [1, 0, 1]],
    [{ x: [0, 1, 2, 3], y: [1, 3, 5, 7] }, undefined, [2, 1]],
    [{ x: [0, 1, 2], y: [0, 1, 3], weights: [1, 1, 2] }, 1, [1.5714285714285716, -0.19047619047619047]],
    [
      { x: [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5], y: [0.02, 0.27, 0.95, 2.3, 4.05, 6.2, 9.1, 12.2] },
      undefined,
      [0.9930952380952376, 0.0220238095238, 0.0029166666667],
    ],
  ])('%j of degree %s', (points, degree, coefficients) => {
    expectRows(fitPolynomial(points, degree), [coefficients])
  })

  test.each([
    ['points too few for the degree', { x: [0, 1], y: [0, 1] }, 2, /2 points; at least 3/],
    ['lists of different length', { x: [0, 1, 2], y: [0, 1] }, 1, /3, 2 and 3 values/],
    ['no points', { x: [], y: [] }, undefined, /0 points/],
    ['a negative weight', { x: [0, 1], y: [0, 1], weights: [1, -1] }, 1, /weight is negative/],
    ['one x only', { x: [1, 1, 1], y: [0, 1, 2] }, 1, /do not determine/],
    ['what is no number', { x: [0, Number.NaN], y: [0, 1] }, 1, /two numbers/],
  ])('refuse %s', (_, points, degree, message) => {
    expect(() => fitPolynomial(points, degree)).toThrow(message)
  })

  test('find the polynomial that points lie on', () => {
    const coefficient = fc.double({ min: -5, max: 5, noNaN: true })
    fc.assert(
      fc.property(fc.array(coefficient, { minLength: 1, maxLength: 5 }), (coefficients) => {
        const curve: Curve = { type: 'poly', coefficients }
        const at = Array.from({ length: 12 }, (_, index) => index / 3)
        const found = fitPolynomial({ x: at, y: at.map((value) => evaluate(curve, value)) }, coefficients.length - 1)
        for (const value of at) expect(evaluate(found, value)).toBeCloseTo(evaluate(curve, value), 6)
      }),
    )
  })

  test('a line through the origin, as a pump has it', () => {
    const { slope, standardError } = fitThroughOrigin({ x: [8, 8, 9.5, 11, 11], y: [0.74, 0.76, 0.89, 1.03, 1.01] })
    expect(slope).toBeCloseTo(0.0931993482, 9)
    expect(standardError).toBeCloseTo(0.0005283694, 9)
    expect(() => fitThroughOrigin({ x: [0, 0], y: [1, 1] })).toThrow(CurveNotFitted)
  })
})

describe('splines', () => {
  test('through every point', () => {
    const curve = interpolateSpline([0, 1, 2, 3], [2, 1, 3, 0])
    expectRows(curve, [
      [2, -2.1333333333, 0, 1.1333333333],
      [1, 1.2666666667, 3.4, -2.6666666667],
      [3, 0.0666666667, -4.6, 1.5333333333],
    ])
    const slopes = [-2.1333333333, 1.2666666667, -4.5333333333]
    ;[0, 1, 3].forEach((at, index) => {
      expect(slopeAt(curve, at)).toBeCloseTo(slopes[index] ?? 0, 9)
    })
    expectRows(interpolateSpline([0, 2], [1, 5]), [[1, 2, 0, 0]])
  })

  test('with the number of knots that explains five points best', () => {
    const curve = fitSpline({ x: [0.1, 0.5, 1, 2, 0], y: [0.031, 0.12, 0.221, 0.39, 0.008] })
    expect(knotsOf(curve)).toEqual([0, 0.5, 2])
    expectRows(curve, [
      [0.0077641236319, 0.2319877893838, 0, -0.0233166377502],
      [0.120843438605, 0.2145003110711, -0.0349749566254, 0.0077722125834],
    ])
  })

  test('with the number of knots that explains ten points best', () => {
    const curve = fitSpline({
      x: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 0],
      y: [0.021, 0.034, 0.071, 0.128, 0.179, 0.226, 0.309, 0.377, 0.48, 0.008],
    })
    expect(knotsOf(curve).map((knot) => Number(knot.toFixed(9)))).toEqual([0, 0.09, 0.4, 0.85, 1.6, 3])
    expectRows({ ...curve, coefficients: [rows(curve)[0] ?? [], rows(curve).at(-1) ?? []] } as Curve, [
      [0.0080424075998, 0.2598647829431, 0, -0.1609622284343],
      [0.3241224393334, 0.1443683613931, -0.035351530939, 0.0084170311759],
    ])
  })

  test('with weights', () => {
    const points = { x: [0, 1, 2, 3, 4], y: [0, 1, 4, 3, 4] }
    expectRows(fitSpline(points, 3), [
      [-0.2103250478, 1.9636711281, 0, -0.0803059273],
      [3.0745697897, 1, -0.4818355641, 0.0803059273],
    ])
    expectRows(fitSpline({ ...points, weights: [1, 1, 50, 1, 1] }, 3), [
      [-0.3848306745, 2.7632241814, 0, -0.1469353485],
      [3.9661349006, 1, -0.8816120907, 0.1469353485],
    ])
  })

  test('take knots as they are told, and the ends besides', () => {
    const points = { x: [0, 1, 2, 3, 4], y: [0, 1, 4, 3, 4] }
    expect(knotsOf(fitSpline(points, [1, 2]))).toEqual([0, 1, 2, 4])
    expect(() => fitSpline(points, [])).toThrow(/list of knots is empty/)
    expect(() => fitSpline(points, 1)).toThrow(/number of knots is 1/)
    expect(() => fitSpline({ x: [1, 1], y: [1, 2] })).toThrow(/Every x is the same/)
  })
})

describe('Akima', () => {
  test('leans to the straighter side', () => {
    const curve = interpolateAkima({ x: [0, 1, 2, 3, 4], y: [0, 1, 4, 3, 5] })
    expectRows(curve, [
      [0, 0, 1.3333333333, -0.3333333333],
      [1, 1.6666666667, 4.2666666667, -2.9333333333],
      [4, 1.4, -6.5142857143, 4.1142857143],
      [3, 0.7142857143, 1.0714285714, 0.2142857143],
    ])
    expect(slopeAt(curve, 0.5)).toBeCloseTo(1.0833333333, 9)
    expect(slopeAt(curve, 2.5)).toBeCloseTo(-2.0285714286, 9)
    expect(candidates(curve, -1)).toEqual([])
    const expected = [-1.3950703071, 1.7787144361, 2.5421052795, 3.4171715186]
    candidates(curve, 3.5).forEach((at, index) => {
      expect(at).toBeCloseTo(expected[index] ?? 0, 7)
    })
  })

  test.each([
    [
      'three points',
      [0, 1, 3],
      [1, 2, 2],
      [
        [1, 1.5, -0.5, 0],
        [2, 0.5, -0.25, 0],
      ],
    ],
    [
      'a straight line',
      [0, 1, 2, 3],
      [1, 3, 5, 7],
      [
        [1, 2, 0, 0],
        [3, 2, 0, 0],
        [5, 2, 0, 0],
      ],
    ],
    [
      'points twice',
      [2, 0, 1, 1, 3],
      [4, 0, 1, 3, 9],
      [
        [0, 2, 0, 0],
        [2, 2, 0, 0],
        [4, 2, 4.5, -1.5],
      ],
    ],
    ['two points', [0, 2], [1, 5], [[1, 2, 0, 0]]],
  ])('%s', (_, at, values, expected) => {
    expectRows(interpolateAkima({ x: at, y: values }), expected)
  })

  test('goes through its points', () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true })
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 12 }), (values) => {
        const at = values.map((_, index) => index * 0.7)
        const curve = interpolateAkima({ x: at, y: values })
        at.forEach((where, index) => {
          expect(evaluate(curve, where)).toBeCloseTo(values[index] ?? 0, 6)
        })
      }),
    )
  })
})

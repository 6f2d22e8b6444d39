import { describe, expect, test } from 'vitest'
import {
  type Curve,
  candidates,
  evaluate,
  invert,
  invertUnbounded,
  slopeAt,
} from '../../../../services/bioreactor/control/curve.js'
import { interpolateAkima } from '../../../../services/bioreactor/control/curve-fit/akima.js'
import { fitSpline, interpolateSpline } from '../../../../services/bioreactor/control/curve-fit/spline.js'
import { calibratedOd } from '../../../../services/bioreactor/control/od-calibration.js'

/** Numbers of Pioreactor 26.7 beyond those next to each function. */

const poly = (...coefficients: number[]): Curve => ({ type: 'poly', coefficients })
const ANYWHERE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
const close = (value: number) => expect.closeTo(value, 8) as number

test.each([
  [poly(5, 3, 2), 12, [0, 2], 1.1456832295],
  [poly(5, 3, 2), 1.99, [0, 1], -0.0033520605],
  [poly(25, -10, 1), 50, [0, 1], 1.6142135624],
  [poly(0.0911, 0), 1, ANYWHERE, 10.9769484083],
  [interpolateSpline([0, 1, 2, 3], [2, 1, 3, 0]), 10, [0, 3], 5.3854696061],
  [interpolateSpline([0, 1, 2, 3], [2, 1, 3, 0]), -50, [0, 3], -3.7551235643],
] as const)('without bounds the inverse %# is the candidate nearest to the domain', (curve, y, domain, x) => {
  expect(invertUnbounded(curve, y, domain)).toBeCloseTo(x, 8)
})

test('a parabola has both of its roots', () => {
  expect(candidates(poly(5, 3, 2), 12)).toEqual([close(-1.7456832295), close(1.1456832295)])
})

describe('a natural spline', () => {
  const spline = interpolateSpline([0, 1, 2, 3], [2, 1, 3, 0])

  test.each([
    [0, -2.1333333333],
    [1, 1.2666666667],
    [3, -4.5333333333],
  ])('has at %s the slope %s', (x, slope) => {
    expect(slopeAt(spline, x)).toBeCloseTo(slope, 8)
  })

  test.each([
    [0.2, [-1.5448066979, 0.860098662], 0.860098662, 0.860098662],
    [0.1, [-1.4201181762, 0.3732080174], 0.3732080174, 0.3732080174],
    [0.0081, null, 0.0002216245, 0.0002216245],
    [0.008, [-1.2705268074, -0.000163191], 'below', 0],
    [0.48, null, 2.9995206577, 2.9995206577],
    [0.5, [-1.815913176, 3.2095058286], 'above', 3],
  ] as const)('fitted to ten standards gives at %s V its OD', (volts, found, inverse, od) => {
    const x = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 0]
    const y = [0.021, 0.034, 0.071, 0.128, 0.179, 0.226, 0.309, 0.377, 0.48, 0.008]
    const curve = fitSpline({ x, y })
    const near = (value: number) => expect.closeTo(value, 6) as number
    if (found !== null) expect(candidates(curve, volts)).toEqual(found.map(near))
    const bounded = invert(curve, volts, [0, 3])
    expect(bounded).toEqual(typeof inverse === 'string' ? { kind: inverse } : { kind: 'inside', x: near(inverse) })
    expect(calibratedOd({ curve, recorded: { x, y } }, volts).od).toBeCloseTo(od, 6)
  })
})

describe("Akima's curve", () => {
  const akima = interpolateAkima({ x: [0, 1, 2, 3, 4], y: [0, 1, 4, 3, 5] })

  test.each([
    [-1, 1.6666666667],
    [0.5, 0.2916666667],
    [1.5, 2.5333333333],
    [2.5, 3.5857142857],
    [3.5, 3.6517857143],
    [5, 10.4285714286],
  ])('has at %s the value %s', (x, y) => {
    expect(evaluate(akima, x)).toBeCloseTo(y, 8)
  })

  test('has its slopes and its candidates', () => {
    expect([slopeAt(akima, 0.5), slopeAt(akima, 2.5)]).toEqual([close(1.0833333333), close(-2.0285714286)])
    expect(candidates(akima, 3.5)).toEqual([-1.3950703071, 1.7787144361, 2.5421052795, 3.4171715186].map(close))
    expect(candidates(akima, -1)).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Curve } from '../../../../services/bioreactor/control/curve.js'
import { CurveNotFitted } from '../../../../services/bioreactor/control/curve-fit/points.js'
import {
  type FusionRecord,
  fitFusion,
  shiftBetween,
  shiftFusion,
} from '../../../../services/bioreactor/control/od/fit-fusion.js'
import {
  type FusionEstimator,
  fuseOd,
  fusionCost,
  goldenSection,
  minimise,
} from '../../../../services/bioreactor/control/od/fused-od.js'

const KNOTS = [-2, -1, 0, 1]
const line = (at2: number, slope: number): Curve => ({
  type: 'akima',
  knots: KNOTS,
  coefficients: KNOTS.slice(0, -1).map((knot) => [at2 + slope * (knot + 2), slope, 0, 0]),
})

const straight: FusionEstimator = {
  angles: ['45', '90', '135'],
  mu_splines: { '45': line(-1.8, 0.25), '90': line(-4, 1.2), '135': line(-3.5, 1.6) },
  sigma_splines_log: { '45': line(Math.log(0.05), 0), '90': line(Math.log(0.06), 0), '135': line(Math.log(0.08), 0) },
  min_logc: -2,
  max_logc: 1,
  sigma_floor: 0.04,
  low_conc_scales: { '135': 0.04, '90': 4, '45': 10 },
}

const seen = (at45: number, at90: number, at135: number) => ({ '45': at45, '90': at90, '135': at135 })

describe('the fused OD of an estimator of straight lines', () => {
  test.each([
    [-2, 1588.6506991249],
    [-1, 87.757404468],
    [-0.5, 26.8995107965],
    [0, -5.5947400692],
    [1, 47.5659598386],
  ])('costs at lg c = %s: %s', (L, cost) => {
    expect(fusionCost(straight, seen(0.29, 0.2, 0.72), L)).toBeCloseTo(cost, 8)
  })

  test.each([
    [seen(0.29, 0.2, 0.72), 0.96182688, false],
    [seen(0.25, 0.11, 0.35), 0.33927638, false],
    [seen(0.2, 0.03, 0.05), 0.02066332, false],
    [seen(0.35, 0.7, 4.0), 10, true],
  ])('%j is %s', (readings, od, atBound) => {
    const fused = fuseOd(straight, readings) ?? expect.fail('nothing')
    expect(fused.od / od).toBeCloseTo(1, 5)
    expect(fused.atBound).toBe(atBound)
  })

  test('needs every angle', () => {
    expect(fuseOd(straight, { '45': 0.29 })).toBeNull()
    expect(fuseOd(straight, { ...seen(0.29, 0.2, 0.72), '90': Number.NaN })).toBeNull()
  })

  test('stays in the recorded range whatever is read', () => {
    const reading = fc.double({ min: -1, max: 10, noNaN: true })
    fc.assert(
      fc.property(reading, reading, reading, (a, b, c) => {
        const { od } = fuseOd(straight, seen(a, b, c)) ?? expect.fail('nothing')
        expect(od).toBeGreaterThanOrEqual(0.01 * (1 - 1e-6))
        expect(od).toBeLessThanOrEqual(10 * (1 + 1e-6))
      }),
      { numRuns: 30 },
    )
  })
})

const records = (levels: readonly number[], readings: Readonly<Record<string, readonly (readonly number[])[]>>) =>
  Object.entries(readings).flatMap(([angle, byLevel]) =>
    byLevel.flatMap((replicates, level): FusionRecord[] =>
      replicates.map((reading) => ({ angle, concentration: levels[level] ?? 0, reading })),
    ),
  )

describe('an estimator fitted to standards', () => {
  const sensors = (c: number) => seen(0.02 + 0.05 * c, 0.01 + 0.03 * c, (0.3 * c) / (1 + 0.4 * c))
  const synthetic = fitFusion(
    [0.1, 0.3, 1, 3].flatMap((concentration) =>
      [0.98, 1, 1.03].flatMap((factor) =>
        Object.entries(sensors(concentration)).map(([angle, reading]) => ({
          angle,
          concentration,
          reading: reading * factor,
        })),
      ),
    ),
  )

  test('has the range and the scales of the standards', () => {
    expect(synthetic).toMatchObject({
      min_logc: -1,
      sigma_floor: 0.04,
      low_conc_scales: { '135': 0.04, '90': 4, '45': 10 },
    })
    expect(synthetic.max_logc).toBeCloseTo(0.47712125471966244, 12)
  })

  test.each([
    [0.2, 0.19865756203353221],
    [0.8, 0.8001023619218749],
    [2, 2.0096933596136277],
    [10, 1.7865770737559585],
  ])('takes a culture of %s for %s', (c, fused) => {
    expect((fuseOd(synthetic, sensors(c))?.od ?? 0) / fused).toBeCloseTo(1, 5)
  })

  const levels = [0.01, 0.1, 0.5, 1, 3]
  const measured = fitFusion(
    records(levels, {
      '45': [
        [0.17, 0.172, 0.171],
        [0.201, 0.205, 0.203],
        [0.262, 0.262, 0.266],
        [0.312, 0.309, 0.315],
        [0.401, 0.405, 0.398],
      ],
      '90': [
        [0.0101, 0.0105, 0.0098],
        [0.052, 0.053, 0.051],
        [0.151, 0.155, 0.153],
        [0.222, 0.229, 0.226],
        [0.312, 0.307, 0.318],
      ],
      '135': [
        [0.031, 0.03, 0.033],
        [0.212, 0.22, 0.208],
        [0.505, 0.515, 0.498],
        [0.471, 0.466, 0.48],
        [0.202, 0.207, 0.199],
      ],
    }),
  )
  const piece = (curve: Curve | undefined, index: number): readonly number[] =>
    (curve?.type === 'poly' ? undefined : curve?.coefficients[index]) ?? expect.fail('no piece')

  test('has the means and the scatter of the readings', () => {
    const expected = {
      '45': [-1.7661031222, -1.5945816569, -1.3343601735, -1.1647829111],
      '90': [-4.5923242568, -2.9566348574, -1.8773743206, -1.4887771507],
      '135': [-3.4638578964, -1.5451713121, -0.6813134767, -0.750145335],
    }
    for (const [angle, means] of Object.entries(expected)) {
      means.forEach((value, index) => {
        expect(piece(measured.mu_splines[angle], index)[0]).toBeCloseTo(value, 9)
      })
    }
    const first = [-4.5923242568, 1.6814977241, -0.0672730582, 0.0214647335]
    first.forEach((value, power) => {
      expect(piece(measured.mu_splines['90'], 0)[power]).toBeCloseTo(value, 9)
    })
    const sigma = (angle: string) => piece(measured.sigma_splines_log[angle], 0)[0]
    expect([sigma('45'), sigma('90'), sigma('135')].map((value) => Number(value?.toFixed(10)))).toEqual([
      -3.2188758249, -3.1076722891, -3.0238397883,
    ])
  })

  test.each([
    [seen(0.203, 0.052, 0.213), 0.09983485],
    [seen(0.287, 0.19, 0.5), 0.76496736],
    [seen(0.36, 0.27, 0.32), 1.86607726],
    [seen(0.171, 0.0101, 0.0313), 0.01],
  ])('%j is %s', (readings, od) => {
    expect((fuseOd(measured, readings)?.od ?? 0) / od).toBeCloseTo(1, 5)
  })

  test('of other angles has the scatter at the thin end as its scales', () => {
    const noisy = (angle: string, noise: number) =>
      [0.1, 0.2, 0.4, 0.8].flatMap((concentration) =>
        [-noise, 0, noise].map((shift) => ({ angle, concentration, reading: concentration * Math.exp(shift) })),
      )
    const { low_conc_scales } = fitFusion([...noisy('45', 0.3), ...noisy('90', 0.1)], ['45', '90'], 0.001)
    expect(low_conc_scales['45']).toBeCloseTo(3, 9)
    expect(low_conc_scales['90']).toBeCloseTo(1, 9)
  })

  test('needs four concentrations of each angle', () => {
    expect(() =>
      fitFusion(records([0.1, 1], { '45': [[0.1], [0.2]], '90': [[0.1], [0.2]], '135': [[1], [2]] })),
    ).toThrow(/Angle 45 has 2 concentrations; at least 4/)
    expect(() => fitFusion([])).toThrow(CurveNotFitted)
  })

  test('is moved to another scale by two standards', () => {
    const shift = shiftBetween([Math.log10(0.2), Math.log10(2)], [Math.log10(0.25), Math.log10(1.7)])
    expect(shift.scale).toBeCloseTo(1.2011883413, 9)
    expect(shift.offset).toBeCloseTo(0.024217438, 9)
    const moved = shiftFusion(straight, shift)
    expect(moved.min_logc).toBeCloseTo(-2.3781592446, 8)
    expect(moved.max_logc).toBeCloseTo(1.2254057794, 8)
    const estimator = {
      ...straight,
      mu_splines: { a: { type: 'akima', knots: [-2, 0], coefficients: [[1, 0.5, 0.25, 0.125]] } } as const,
    }
    const curve = shiftFusion(estimator, { scale: 1.1, offset: -0.05 }).mu_splines['a']
    expect(curve).toMatchObject({ knots: [expect.closeTo(-2.25, 9), expect.closeTo(-0.05, 9)] })
    expect(piece(curve, 0).map((value) => Number(value.toFixed(10)))).toEqual([
      1, 0.4545454545, 0.2066115702, 0.0939143501,
    ])
    expect(() => shiftBetween([0, 1], [0.5, 0.5])).toThrow(CurveNotFitted)
    expect(() => shiftBetween([0, 1], [1, 0])).toThrow(CurveNotFitted)
  })
})

describe('the search for the least cost', () => {
  test('by golden section', () => {
    expect(goldenSection((x) => (x - 0.3) ** 2, -1, 1)).toBeCloseTo(0.3000000828, 7)
  })

  test('among several valleys, the edges included', () => {
    expect(minimise((x) => Math.cos(3 * x) + 0.1 * x, -3, 3)).toBe(-3)
    expect(minimise((x) => x, 2, 1)).toBe(2)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  detectMainsHz,
  fitSine,
  meanWithPrior,
  trimExtremes,
} from '../../../../services/bioreactor/control/mains-regression.js'

const number = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true })

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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planCirculation } from '../../../../services/bioreactor/control/dosing/circulation.js'
import {
  type DoseProgress,
  type DoseSettings,
  doseDeadlineS,
  nextPumping,
  planDose,
  recordPumped,
  startDose,
} from '../../../../services/bioreactor/control/dosing/dose-plan.js'
import { evolveLiquid, filledVial, wasteMovedMl } from '../../../../services/bioreactor/control/dosing/liquid.js'
import {
  checkPumpSeconds,
  MAX_PUMP_S,
  type PumpCurve,
  pumpedBetweenMl,
  pumpedMl,
  pumpSeconds,
  UNCALIBRATED_PUMP,
} from '../../../../services/bioreactor/control/dosing/pump-curve.js'

// Where a Pioreactor (26.7) does or records what it should not, the plan here differs:
//
// | case                                       | Pioreactor                                         | here                                   |
// |--------------------------------------------|----------------------------------------------------|----------------------------------------|
// | chemostat, 1.2 mL: runs of a half          | media 0.6, waste 0.6, waste 1.2                    | media 0.6, waste 1.8 in one run        |
// | chemostat, 1.2 mL: recorded                | media 1.2, waste 3.6                               | media 1.2, waste 1.2                   |
// | dose of 2.5 mL, 1 mL at once               | 4 × 0.625 (halves of halves)                       | 3 × 0.8333                             |
// | pump of 1 mL at 1 mL/s stopped at 0.25 s   | events 0.5 then −0.25                              | one event 0.25, after it moved         |
// | a dose that a pause broke off              | the rest of that run is left out                   | the rest is pumped after the pause     |
// | circulation of 3 s at 1 mL/s               | one event: waste 20 mL, no inflow                  | inflow 2.55 mL, waste what left        |
// | fed_batch of 1.5 mL                        | one run                                            | 2 × 0.75                               |

const stock: DoseSettings = { maxSubdoseMl: 1, wasteMultiplier: 2, pauseS: 5 }
const pump = (mlPerS: number): PumpCurve => ({ curve: { type: 'poly', coefficients: [mlPerS, 0] }, domain: [0, 1000] })

const runs = (...args: Parameters<typeof planDose>): string[] =>
  planDose(...args).map(
    ({ pump: name, ml, pumpMl }) => `${name} ${ml.toFixed(4)}${ml === pumpMl ? '' : ` of ${pumpMl.toFixed(4)}`}`,
  )

describe('the plan of a dose', () => {
  test.each([
    [
      { media_ml: 1.2, waste_ml: 1.2 },
      ['media 0.6000', 'waste 0.6000 of 1.8000', 'media 0.6000', 'waste 0.6000 of 1.8000'],
    ],
    [{ media_ml: 0.5, waste_ml: 0.5 }, ['media 0.5000', 'waste 0.5000 of 1.5000']],
    [{ media_ml: 4, waste_ml: 4 }, Array(4).fill(['media 1.0000', 'waste 1.0000 of 3.0000']).flat()],
    [{ media_ml: 2.5, waste_ml: 2.5 }, Array(3).fill(['media 0.8333', 'waste 0.8333 of 2.5000']).flat()],
    [
      { media_ml: 1.25, alt_media_ml: 0.01, waste_ml: 1.26 },
      Array(2).fill(['media 0.6250', 'alt_media 0.0050', 'waste 0.6300 of 1.8900']).flat(),
    ],
    [{ media_ml: 1.5, waste_ml: 0 }, ['media 0.7500', 'media 0.7500']],
    [{ media_ml: 0, waste_ml: 2 }, ['waste 2.0000 of 6.0000']],
    [{ media_ml: 0, waste_ml: 0 }, []],
    [{ salty_media_ml: 0.5, waste_ml: 0.5 }, ['salty_media 0.5000', 'waste 0.5000 of 1.5000']],
  ])('of %j', (dose, expected) => {
    expect(runs(dose, stock)).toEqual(expected)
  })

  test.each([
    [{ media_ml: 1, waste_ml: 0.9 }, /waste_ml is 0.9 mL; it must be at least the 1 mL/],
    [{ media_ml: -1, waste_ml: 0 }, /media_ml is -1/],
    [{ media_ml: Number.NaN, waste_ml: 1 }, /media_ml is NaN/],
    [{ media_ml: Number.POSITIVE_INFINITY, waste_ml: Number.POSITIVE_INFINITY }, /media_ml is Infinity/],
  ])('of %j is refused', (dose, message) => {
    expect(() => planDose(dose, stock)).toThrow(message)
  })

  const volume = fc.double({ min: 0, max: 20, noNaN: true })
  test('moves what was asked for, in steps no larger than allowed, waste after each', () => {
    fc.assert(
      fc.property(
        volume,
        volume,
        fc.double({ min: 0.05, max: 3, noNaN: true }),
        (media_ml, alt_media_ml, maxSubdoseMl) => {
          const plan = planDose(
            { media_ml, alt_media_ml, waste_ml: media_ml + alt_media_ml },
            { ...stock, maxSubdoseMl },
          )
          const total = (name: string) => plan.filter(({ pump }) => pump === name).reduce((sum, { ml }) => sum + ml, 0)
          expect(total('media')).toBeCloseTo(media_ml, 6)
          expect(total('alt_media')).toBeCloseTo(alt_media_ml, 6)
          expect(total('waste')).toBeCloseTo(media_ml + alt_media_ml, 6)
          let sinceWaste = 0
          for (const { pump, ml } of plan) {
            sinceWaste = pump === 'waste' ? 0 : sinceWaste + ml
            expect(sinceWaste).toBeLessThanOrEqual(maxSubdoseMl + 1e-6)
          }
          expect(sinceWaste).toBe(0)
        },
      ),
    )
  })

  test('has a deadline beyond what its pumps and pauses take', () => {
    const plan = planDose({ media_ml: 1, waste_ml: 1 }, stock)
    const secondsOf = (_: string, ml: number) => ml / 0.1
    expect(doseDeadlineS(plan, secondsOf)).toBeCloseTo(10 + 1.5 * (10 + 5 + 30 + 0.05), 9)
  })
})

describe('a dose under way', () => {
  /** Pumps until nothing more is to be done. @param broken where a run is broken off, as a share of it */
  function pumpAll(start: DoseProgress, fromMl: number, maxFillMl: number, broken: readonly number[] = []) {
    let progress = start
    let liquid = filledVial({ volume_ml: fromMl, efflux_tube_volume_ml: 14 })
    const pumped: string[] = []
    for (let run = 0; ; run++) {
      // What a restart reads is what was written.
      progress = JSON.parse(JSON.stringify(progress)) as DoseProgress
      const next = nextPumping(progress, liquid.volume_ml, maxFillMl)
      if (next.kind !== 'pump') return { end: next.kind, progress, liquid, pumped }
      const pumpMl = next.pumpMl * (broken[run] ?? 1)
      const isWaste = next.pump === 'waste'
      const movedMl = isWaste ? wasteMovedMl(liquid, pumpMl) : pumpMl
      liquid = evolveLiquid(
        liquid,
        { event: isWaste ? 'remove_waste' : `add_${next.pump}`, volume_change: movedMl },
        20,
      )
      progress = recordPumped(progress, { pumpMl, movedMl })
      pumped.push(`${next.pump} ${pumpMl.toFixed(2)}`)
    }
  }

  test('records as waste the liquid that left', () => {
    const { end, progress, liquid, pumped } = pumpAll(startDose({ media_ml: 1.2, waste_ml: 1.2 }, stock), 14, 18)
    expect(end).toBe('done')
    expect(pumped).toEqual(['media 0.60', 'waste 1.80', 'media 0.60', 'waste 1.80'])
    expect(progress.moved['media_ml']).toBeCloseTo(1.2, 9)
    expect(progress.moved.waste_ml).toBeCloseTo(1.2, 9)
    expect(liquid.removed_ml).toBeCloseTo(1.2, 9)
    expect(liquid.volume_ml).toBeCloseTo(14, 9)
  })

  test('ends before the vessel is full', () => {
    const { end, progress, pumped } = pumpAll(
      startDose({ media_ml: 0.4, alt_media_ml: 0.4, waste_ml: 0.8 }, stock),
      17.3,
      18,
    )
    expect(end).toBe('full')
    expect(pumped).toEqual(['media 0.40'])
    expect(progress.moved).toEqual({ media_ml: 0.4, alt_media_ml: 0, waste_ml: 0 })
  })

  test('is taken up again where it was broken off, however often', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
    fc.assert(
      fc.property(shares, (broken) => {
        const whole = startDose({ media_ml: 1.5, alt_media_ml: 0.5, waste_ml: 2 }, stock)
        const { end, progress, liquid } = pumpAll(whole, 14, 18, broken)
        expect(end).toBe('done')
        expect(progress.moved['media_ml']).toBeCloseTo(1.5, 6)
        expect(progress.moved['alt_media_ml']).toBeCloseTo(0.5, 6)
        expect(liquid.volume_ml).toBeCloseTo(14, 6)
        expect(progress.moved.waste_ml).toBeCloseTo(2, 6)
      }),
    )
  })
})

describe('a pump', () => {
  test('takes the time that its calibration gives', () => {
    expect(pumpSeconds(UNCALIBRATED_PUMP, 1)).toBeCloseTo(10.9769484083, 9)
    expect(pumpSeconds(pump(1), 0)).toBe(0)
    expect(pumpedMl(pump(1), 0.25)).toBe(0.25)
    expect(pumpedMl(pump(1), -1)).toBe(0)
  })

  test('reports what has moved: half seconds, and the rest', () => {
    const events = [0, 0.5, 0.8].map((fromS, index, all) => pumpedBetweenMl(pump(1), fromS, all[index + 1] ?? fromS))
    expect(events.map((ml) => Number(ml.toFixed(9)))).toEqual([0.5, 0.3, 0])
    expect(pumpedBetweenMl(pump(1), 0, 0.25)).toBe(0.25)
  })

  test.each([
    ['a volume that is negative', pump(1), -1],
    ['a volume that is no number', pump(1), Number.NaN],
    [
      'a curve that never gives it',
      { curve: { type: 'poly', coefficients: [1, 0, 5] }, domain: [0, 10] } as PumpCurve,
      2,
    ],
    ['a time longer than a pump may run', pump(0.001), 10],
  ])('does not run for %s', (_, curve, ml) => {
    expect(() => pumpSeconds(curve, ml)).toThrow(/pump/i)
  })

  test.each([Number.NaN, -1, MAX_PUMP_S + 1, Number.POSITIVE_INFINITY])('does not run for %s s', (seconds) => {
    expect(() => checkPumpSeconds(seconds)).toThrow(/may run for 0 to 3600 s/)
  })

  test('moves in the time for a volume that volume, whatever its curve', () => {
    const positive = fc.double({ min: 0.01, max: 2, noNaN: true })
    fc.assert(
      fc.property(positive, fc.double({ min: 1e-12, max: 0.1, noNaN: true }), positive, (slope, bend, ml) => {
        const curve: PumpCurve = { curve: { type: 'poly', coefficients: [bend, slope, 0] }, domain: [0, 100] }
        expect(pumpedMl(curve, pumpSeconds(curve, ml))).toBeCloseTo(ml, 6)
      }),
    )
  })
})

describe('circulation', () => {
  test('pulses the inflow, with waste from a second before to a second after', () => {
    const { wasteS, pulses, inflowMl, wasteMl } = planCirculation(3, pump(1), pump(1), UNCALIBRATED_PUMP)
    expect(wasteS).toBe(5)
    expect(pulses).toEqual([1, 2, 3].map((atS) => ({ atS, forS: 0.85 })))
    expect(inflowMl).toBeCloseTo(2.55, 9)
    expect(wasteMl).toBeCloseTo(5, 9)
  })

  test('lets the faster inflow pump rest for longer, and the last pulse end with the time', () => {
    const { pulses, inflowMl, wasteMl } = planCirculation(2.3, pump(2), pump(1), UNCALIBRATED_PUMP)
    expect(pulses.map(({ forS }) => Number(forS.toFixed(9)))).toEqual([0.5, 0.5, 0.3])
    expect(inflowMl).toBeLessThan(wasteMl)
  })

  test('without calibrations takes the stock share and pump', () => {
    const { pulses, inflowMl } = planCirculation(1, null, pump(0.01), UNCALIBRATED_PUMP)
    expect(pulses[0]?.forS).toBe(0.85)
    expect(inflowMl).toBeCloseTo(0.85 * 0.0911, 9)
  })

  test('lasts no longer than a pump may run', () => {
    expect(() => planCirculation(MAX_PUMP_S, null, null, UNCALIBRATED_PUMP)).toThrow(/3602 s/)
  })
})

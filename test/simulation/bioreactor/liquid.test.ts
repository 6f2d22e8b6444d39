import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createLiquid,
  evaporate,
  exchange,
  type Liquid,
  type PumpDrive,
  type PumpDrives,
  pumpIntoGlass,
  type Vessel,
} from '../../../simulation/bioreactor/liquid.js'
import { emptyTube, primedTube, pushThrough, TUBE_ML, type Tube } from '../../../simulation/bioreactor/tube.js'

const RATE = 0.0911
const vessel: Vessel = {
  capacityMl: 20,
  effluxMl: 15,
  pumpMlPerS: { media: RATE, alt_media: RATE, waste: RATE },
}

const at = (percent: number, submerged = true): PumpDrive => ({ percent, submerged })
const drives = (media: number, altMedia = 0, waste = 0): PumpDrives => ({
  media: at(media),
  alt_media: at(altMedia),
  waste: at(waste),
})

/** In steps of a second; kept is that of all of them. */
function pump(seconds: number, liquid: Liquid, pumps: PumpDrives): { readonly liquid: Liquid; readonly kept: number } {
  let [state, share] = [liquid, 1]
  for (let left = seconds; left > 1e-9; left -= 1) {
    const { liquid: after, kept } = exchange(state, pumps, vessel, Math.min(1, left))
    state = after
    share *= kept
  }
  return { liquid: state, kept: share }
}

const percent = fc.double({ min: 0, max: 100, noNaN: true })
const anyDrives = fc.record({
  media: fc.record({ percent, submerged: fc.boolean() }),
  alt_media: fc.record({ percent, submerged: fc.boolean() }),
  waste: fc.record({ percent, submerged: fc.boolean() }),
})
const anyVolume = fc.double({ min: 0, max: 20, noNaN: true })
const anyCourse = fc.array(fc.record({ pumps: anyDrives, seconds: fc.double({ min: 0.01, max: 90, noNaN: true }) }), {
  maxLength: 12,
})

test('whatever is pumped, no liquid is made or lost, and the vial is neither below empty nor above its rim', () => {
  fc.assert(
    fc.property(anyVolume, anyCourse, (volumeMl, course) => {
      let liquid = createLiquid(volumeMl)
      for (const { pumps, seconds } of course) {
        liquid = evaporate(exchange(liquid, pumps, vessel, seconds).liquid, 37, 22, seconds).liquid
        const { mediaInMl, altMediaInMl, wasteOutMl, spilledMl, evaporatedMl } = liquid
        const expected = volumeMl + mediaInMl + altMediaInMl - wasteOutMl - spilledMl - evaporatedMl
        expect(liquid.volumeMl).toBeCloseTo(expected, 8)
        expect(liquid.volumeMl).toBeGreaterThanOrEqual(0)
        expect(liquid.volumeMl).toBeLessThanOrEqual(vessel.capacityMl)
      }
    }),
  )
})

test('the share of alternative medium lies between 0 and 1 and moves towards what is fed', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), anyCourse, (fraction, course) => {
      let liquid = createLiquid(15, fraction)
      for (const { pumps, seconds } of course) {
        const before = liquid.altMediaFraction
        const { media, alt_media: alt } = pumps
        liquid = exchange(liquid, pumps, vessel, seconds).liquid
        expect(liquid.altMediaFraction).toBeGreaterThanOrEqual(0)
        expect(liquid.altMediaFraction).toBeLessThanOrEqual(1)
        if (alt.percent === 0) expect(liquid.altMediaFraction).toBeLessThanOrEqual(before + 1e-12)
        if (media.percent === 0) expect(liquid.altMediaFraction).toBeGreaterThanOrEqual(before - 1e-12)
      }
    }),
  )
})

test('what was in the vial and what left it with the medium is all there was', () => {
  fc.assert(
    fc.property(anyVolume, percent, percent, (volumeMl, media, waste) => {
      // Without suction and below the rim nothing leaves: the amount is kept exactly.
      const { liquid, kept } = exchange(createLiquid(volumeMl), drives(media, 0, 0), vessel, 1)
      if (liquid.spilledMl === 0) expect(kept * liquid.volumeMl).toBeCloseTo(volumeMl, 9)
      // With it, each part in a thousand leaves at the concentration of its moment.
      const sucked = exchange(createLiquid(volumeMl), drives(media, 0, waste), vessel, 1)
      expect(sucked.kept * sucked.liquid.volumeMl).toBeLessThanOrEqual(volumeMl + 1e-9)
      expect(sucked.kept).toBeGreaterThanOrEqual(0)
      expect(sucked.kept).toBeLessThanOrEqual(1)
    }),
  )
})

test('one long step is as good as many short ones', () => {
  fc.assert(
    fc.property(anyVolume, percent, percent, fc.integer({ min: 2, max: 120 }), (volumeMl, media, waste, seconds) => {
      const long = exchange(createLiquid(volumeMl), drives(media, 0, waste), vessel, seconds)
      const short = pump(seconds, createLiquid(volumeMl), drives(media, 0, waste))
      expect(long.liquid.volumeMl).toBeCloseTo(short.liquid.volumeMl, 8)
      expect(long.kept).toBeCloseTo(short.kept, 8)
    }),
  )
})

describe('waste', () => {
  test('is drawn no deeper than the end of its tube', () => {
    expect(pump(60, createLiquid(18), drives(0, 0, 100)).liquid.volumeMl).toBe(15)
    expect(pump(60, createLiquid(10), drives(0, 0, 100)).liquid.volumeMl).toBe(10)
  })

  test('goes as it comes while the vial stands at the end of its tube', () => {
    const { liquid, kept } = pump(100, createLiquid(15), drives(50, 0, 100))
    expect(liquid.volumeMl).toBe(15)
    expect(liquid.wasteOutMl).toBeCloseTo(liquid.mediaInMl, 9)
    expect(kept).toBeCloseTo(Math.exp(-(100 * 0.5 * RATE) / 15), 9)
  })
})

test('what does not fit runs over the rim, mixed', () => {
  const { liquid } = pump(120, createLiquid(15), drives(100))
  expect(liquid.volumeMl).toBe(20)
  expect(liquid.spilledMl).toBeCloseTo(120 * RATE - 5, 9)
})

test('a pump at too little power does not turn', () => {
  expect(pump(60, createLiquid(15), drives(4)).liquid.mediaInMl).toBe(0)
})

describe('tubes', () => {
  const anyTube = fc.constantFrom<Tube>(primedTube, emptyTube)
  const pushes = fc.array(fc.record({ ml: fc.double({ min: 0, max: 3, noNaN: true }), liquid: fc.boolean() }))

  test('hold what they hold, and let out what was pushed in before', () => {
    fc.assert(
      fc.property(anyTube, pushes, (start, course) => {
        const liquidIn = (tube: Tube) => tube.reduce((sum, { ml, liquid }) => sum + (liquid ? ml : 0), 0)
        let [tube, pushed, came] = [start, 0, 0]
        for (const { ml, liquid } of course) {
          const after = pushThrough(tube, ml, liquid)
          expect(after.liquidMl).toBeLessThanOrEqual(ml + 1e-9)
          pushed += liquid ? ml : 0
          came += after.liquidMl
          tube = after.tube
        }
        expect(tube.reduce((sum, { ml }) => sum + ml, 0)).toBeCloseTo(TUBE_ML, 9)
        expect(liquidIn(start) + pushed).toBeCloseTo(liquidIn(tube) + came, 9)
      }),
    )
  })

  test('out of the bottle, one gives what is in it and then air; back in, air first', () => {
    const dry: PumpDrives = { ...drives(100), media: at(100, false) }
    const { liquid } = pump(60, createLiquid(10), dry)
    expect(liquid.mediaInMl).toBeCloseTo(TUBE_ML, 9)
    const again = pump(60, liquid, drives(100)).liquid
    expect(again.mediaInMl - liquid.mediaInMl).toBeCloseTo(60 * RATE - TUBE_ML, 9)
  })
})

test('water evaporates from a warm culture, 0.4 ml in a day at 37 °C, and never leaves it dry', () => {
  const day = evaporate(createLiquid(15), 37, 22, 86_400)
  expect(day.liquid.evaporatedMl).toBeCloseTo(0.4, 2)
  expect(day.concentration * day.liquid.volumeMl).toBeCloseTo(15, 9)
  expect(evaporate(createLiquid(0.2), 90, 22, 1e7).liquid.volumeMl).toBeCloseTo(0.1, 9)
})

test('what is pumped into a measuring glass is in the glass, and the vial keeps what it has', () => {
  const before = createLiquid(15)
  const after = pumpIntoGlass(before, drives(100, 0, 50), vessel, 10)
  expect(after).toEqual({ ...before, glassMl: expect.closeTo(15 * RATE, 9) as number })
  // The tube is full when its inlet leaves the water: that much still comes.
  const dry = { ...drives(100), media: at(100, false), waste: at(100, false) }
  expect(pumpIntoGlass(before, dry, vessel, 100).glassMl).toBeCloseTo(TUBE_ML, 9)
})

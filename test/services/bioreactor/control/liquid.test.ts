import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bioreactorValues, Liquid } from '../../../../events/bioreactor/liquids.js'
import { check } from '../../../../events/schema.js'
import {
  correctLiquid,
  dilutionOf,
  evolveLiquid,
  filledVial,
  type Moved,
} from '../../../../services/bioreactor/control/dosing/liquid.js'

// Where a Pioreactor (26.7) records what did not happen, the account here differs:
//
// | case                                              | Pioreactor            | here                                   |
// |---------------------------------------------------|-----------------------|----------------------------------------|
// | cumulative waste of an exchange of 1.2 mL         | 3.6 mL (pump runs)    | 1.2 mL (liquid that left)              |
// | waste pumped at the height of the efflux tube     | counts                | is air: 0 mL                           |
// | correction of waste at the height of the tube     | ignored               | puts back what had left                |
// | 1 mL of a third medium, f 0.2 in 15 mL            | f stays 0.2           | f 0.1875: it has a share of its own    |
// | an event beyond the capacity of the vessel        | dropped as a whole    | mixed, and the overflow counted as such |

const CAPACITY_ML = 20

const shareOf = (liquid: Liquid): number => bioreactorValues(liquid).alt_media_fraction

const afterDoses = (liquid: Liquid, ...events: readonly (readonly [event: string, ml: number])[]): Liquid =>
  events.reduce((state, [event, volume_change]) => evolveLiquid(state, { event, volume_change }, CAPACITY_ML), liquid)

const vial = (volume_ml: number, alt_media_fraction = 0, efflux_tube_volume_ml = 14): Liquid =>
  filledVial({ volume_ml, efflux_tube_volume_ml, alt_media_fraction })

describe('the liquid in the vial', () => {
  test('has the volumes that pumps and the height of the tube make', () => {
    const events = [
      ['add_media', 6, 6],
      ['remove_waste', 2, 6],
      ['add_media', 6, 12],
      ['add_media', 3, 15],
      ['remove_waste', 3, 14],
      ['add_media', 2, 16],
      ['remove_waste', 1, 15],
      ['remove_waste', 10, 14],
    ] as const
    let state = vial(0)
    for (const [event, ml, volume] of events) {
      state = afterDoses(state, [event, ml])
      expect(state.volume_ml).toBeCloseTo(volume, 12)
    }
    expect(bioreactorValues(state)).toMatchObject({ cumulative_media_added_ml: 17, cumulative_waste_removed_ml: 3 })
  })

  test('follows corrections of what was reported too much', () => {
    let state = vial(0)
    for (const [ml, volume] of [
      [6, 6],
      [-3, 3],
      [-3, 0],
      [-3, 0],
    ] as const) {
      state = afterDoses(state, ['add_media', ml])
      expect(state.volume_ml).toBe(volume)
    }
    expect(state.added_ml).toEqual({ media: 0 })
    const wasted = afterDoses(vial(15), ['remove_waste', 1], ['remove_waste', -0.25])
    expect([wasted.volume_ml, wasted.removed_ml]).toEqual([14.25, 0.75])
  })

  test.each([
    [0, 15, 'add_alt_media', 1, 0.0625],
    [0.0625, 15, 'add_media', 1, 0.05859375],
    [0.2, 15, 'add_salty_media', 1, 0.1875],
    [0.3, 0, 'add_alt_media', 1, 1],
    [0.3, 10, 'remove_waste', 1, 0.3],
  ])('with a share %s of the alternative medium in %s mL, after %s of %s mL has %s', (f, ml, event, change, share) => {
    expect(shareOf(afterDoses(vial(ml, f), [event, change]))).toBeCloseTo(share, 12)
  })

  test('has the share that an exchange in two halves makes', () => {
    const half = [
      ['add_media', 0.625],
      ['add_alt_media', 0.005],
      ['remove_waste', 0.63],
      ['remove_waste', 1.26],
    ] as const
    const state = afterDoses(vial(14), ...half, ...half)
    expect(shareOf(state)).toBeCloseTo(0.0006688099, 9)
    expect(state.volume_ml).toBeCloseTo(14, 12)
    expect(state.removed_ml).toBeCloseTo(1.26, 12)
  })

  test('tells the dilution of an addition, and of nothing else', () => {
    expect(dilutionOf(vial(14), { event: 'add_media', volume_change: 0.5 })).toBeCloseTo(Math.log(14 / 14.5), 12)
    expect(dilutionOf(vial(14), { event: 'remove_waste', volume_change: 0.5 })).toBe(0)
    expect(dilutionOf(vial(0), { event: 'add_media', volume_change: 0.5 })).toBeNull()
  })

  test('overflows at the capacity, and the account says so', () => {
    const state = afterDoses(vial(18), ['add_alt_media', 6])
    expect([state.volume_ml, state.spilled_ml]).toEqual([20, 4])
    expect(shareOf(state)).toBeCloseTo(0.25, 12)
    expect(bioreactorValues(state).cumulative_alt_media_added_ml).toBe(6)
  })

  test('is what somebody who looked says', () => {
    const state = afterDoses(vial(14, 0.2), ['add_salty_media', 1])
    const corrected = correctLiquid(
      state,
      { current_volume_ml: 12, alt_media_fraction: 0.5, cumulative_waste_removed_ml: 3 },
      20,
    )
    expect(bioreactorValues(corrected)).toEqual({
      alt_media_fraction: 0.5,
      current_volume_ml: 12,
      efflux_tube_volume_ml: 14,
      cumulative_media_added_ml: 0,
      cumulative_alt_media_added_ml: 0,
      cumulative_waste_removed_ml: 3,
    })
    const { media = 0, salty_media = 0 } = corrected.composition
    expect(media + salty_media).toBeCloseTo(0.5, 12)
    expect(salty_media / media).toBeCloseTo(1 / (0.8 * 14), 9)
    expect(correctLiquid(vial(14, 1), { alt_media_fraction: 0.25 }, 20).composition).toEqual({
      media: 0.75,
      alt_media: 0.25,
    })
  })

  test.each([
    [{ current_volume_ml: 20.5 }, /current_volume_ml is 20.5 mL; it must be 0 to 20 mL/],
    [{ alt_media_fraction: 1.1 }, /alt_media_fraction is 1.1; it must be 0 to 1/],
    [{ cumulative_media_added_ml: -1 }, /it must be at least 0 mL/],
    [{ efflux_tube_volume_ml: Number.NaN }, /efflux_tube_volume_ml is NaN/],
  ])('cannot be %j', (values, message) => {
    expect(() => correctLiquid(vial(14), values, 20)).toThrow(message)
  })

  test('is not changed by what is no dose', () => {
    const state = vial(14)
    expect(afterDoses(state, ['shake', 3], ['add_', 2], ['add_media', Number.NaN])).toBe(state)
  })

  const event = fc.record({
    event: fc.constantFrom('add_media', 'add_alt_media', 'add_salty_media', 'remove_waste'),
    volume_change: fc.double({ min: -1, max: 3, noNaN: true }),
  })
  const added = fc.record({
    event: fc.constantFrom('add_media', 'add_alt_media', 'add_salt', 'remove_waste'),
    volume_change: fc.double({ min: 0, max: 3, noNaN: true }),
  })
  const fold = (liquid: Liquid, events: readonly Moved[]): Liquid =>
    events.reduce((state, moved) => evolveLiquid(state, moved, CAPACITY_ML), liquid)

  test('is always one that can be: volumes in the vessel, shares that make one whole, JSON that can be restored', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const state = fold(vial(14, 0.2), events)
        expect(state.volume_ml).toBeGreaterThanOrEqual(0)
        expect(state.volume_ml).toBeLessThanOrEqual(CAPACITY_ML)
        const whole = Object.values(state.composition).reduce((sum, share) => sum + share, 0)
        expect(whole).toBeCloseTo(1, 6)
        expect(check(Liquid, JSON.parse(JSON.stringify(state)))).toEqual(state)
      }),
    )
  })

  test('is all accounted for: what came is there, left, or was spilled', () => {
    fc.assert(
      fc.property(fc.array(added, { maxLength: 60 }), (events) => {
        const state = fold(vial(14), events)
        const came = Object.values(state.added_ml).reduce((sum, ml) => sum + ml, 0)
        expect(14 + came).toBeCloseTo(state.volume_ml + state.removed_ml + state.spilled_ml, 6)
      }),
    )
  })

  test('is the same whether a dose is told in one piece or in many', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 4, noNaN: true }), fc.integer({ min: 1, max: 20 }), (ml, pieces) => {
        const whole = fold(vial(14, 0.5), [{ event: 'add_media', volume_change: ml }])
        const parts = fold(
          vial(14, 0.5),
          Array.from({ length: pieces }, () => ({ event: 'add_media', volume_change: ml / pieces })),
        )
        expect(parts.volume_ml).toBeCloseTo(whole.volume_ml, 9)
        expect(shareOf(parts)).toBeCloseTo(shareOf(whole), 9)
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lightAt } from '../../../../services/bioreactor/control/light-cycle.js'

describe('a cycle of light and darkness', () => {
  test.each([
    [16, 8, 0, true, 960],
    [16, 8, 959, true, 1],
    [16, 8, 960, false, 480],
    [16, 8, 1439.5, false, 0.5],
    [16, 8, 1440, true, 960],
    [0.1, 0.1, 3, true, 3],
    [0, 8, 5, false, null],
    [16, 0, 5, true, null],
    [0, 0, 5, false, null],
  ])('of %s and %s min, after %s s, has light: %s, for %s s', (light, dark, elapsedS, isLight, forS) => {
    const found = lightAt({ light, dark }, elapsedS)
    expect(found.isLight).toBe(isLight)
    if (forS === null) expect(found.forS).toBeNull()
    else expect(found.forS).toBeCloseTo(forS, 6)
  })

  test('changes when it says, to the other', () => {
    const minutes = fc.double({ min: 0.1, max: 2000, noNaN: true })
    fc.assert(
      fc.property(minutes, minutes, fc.double({ min: 0, max: 1e6, noNaN: true }), (light, dark, elapsedS) => {
        const { isLight, forS } = lightAt({ light, dark }, elapsedS)
        const shortest = 60 * Math.min(light, dark)
        expect(lightAt({ light, dark }, elapsedS + (forS ?? 0) + shortest / 2).isLight).toBe(!isLight)
        expect(forS).toBeGreaterThan(0)
      }),
    )
  })
})

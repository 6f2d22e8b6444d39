import { describe, expect, test } from 'vitest'
import {
  canDodge,
  firstActionAfterS,
  nextActionAfterS,
  readingDurationS,
  untilNextReadingS,
  waitBeforeReadingS,
} from '../../../../services/bioreactor/control/dodge-schedule.js'
import { pollWindowS, rpmOf } from '../../../../services/bioreactor/stirring/rpm-sensor.js'
import { nextDuty } from '../../../../services/bioreactor/stirring/stir-bar.js'

describe('stirring', () => {
  const inverse = (rpm: number): number => (rpm + 5) / 10

  test('duty cycle estimates along a linear calibration', () => {
    const start = nextDuty(inverse(500), inverse(500))
    expect(start).toBeCloseTo(53.025, 9)
    const second = nextDuty(start, inverse(600))
    expect(second).toBeCloseTo(62.740125, 9)
    const third = nextDuty(second, inverse(600))
    expect(third).toBeCloseTo(63.760213125, 9)
    expect(nextDuty(second, inverse(700))).toBeCloseTo(73.210213125, 9)
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
  const at = (intervalS: number) => ({ intervalS, firstObsS: 100, readingS: 1 })

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

  test.each([
    [110, 1.5],
    [111.4, 0.1],
    [111.5, 0],
    [111.6, 4.9],
    [114, 2.5],
  ])('who acts already, at %s s, acts next in %s s', (now, seconds) => {
    expect(nextActionAfterS(at(5), { preS: 1.5, postS: 0.5 }, now)).toBeCloseTo(seconds, 9)
  })

  test.each([
    [[0.541], 0.6],
    [[0.6], 0.6],
    [[0.52, 0.71, 0.55], 0.8],
    [[4.2000000001], 4.2],
  ])('readings of %j s are taken to last %s s', (lasted, seconds) => {
    expect(readingDurationS(lasted)).toBe(seconds)
  })

  test('the first action comes after the reading', () => {
    expect(firstActionAfterS(at(5), { preS: 1.5, postS: 0.5 }, 112)).toBeCloseTo(3 + 0.5 + 1, 9)
  })
})

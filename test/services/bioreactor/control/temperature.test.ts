import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  heaterDuty,
  judgeProbe,
  mustPowerOff,
} from '../../../../services/bioreactor/control/temperature/heater-safety.js'
import {
  inferCultureC,
  inferencePlan,
  linearEstimate,
  twoExponentialEstimate,
} from '../../../../services/bioreactor/control/temperature/inference.js'
import {
  infraredCultureC,
  SEED_INFRARED_ESTIMATOR,
} from '../../../../services/bioreactor/control/temperature/infrared.js'
import {
  rampSetpoint,
  THERMOSTAT_AT_REST,
  thermostatStep,
} from '../../../../services/bioreactor/control/temperature/thermostat.js'

/** Probe readings of a Pioreactor, heater off, 5.3 s apart. */
const COOLING_C = [
  48.427083333333336, 46.520833333333336, 45.208333333333336, 44.135416666666664, 43.270833333333336,
  42.552083333333336, 41.9375, 41.416666666666664, 40.958333333333336, 40.5625, 40.21875, 39.9375, 39.625,
  39.427083333333336, 39.1875, 39.0, 38.8125, 38.625, 38.5, 38.3125, 38.1875,
]

describe('the temperature of the culture', () => {
  test('by the linear model', () => {
    expect(linearEstimate(45.57, COOLING_C)).toBeCloseTo(38.72727498714722, 9)
    expect(linearEstimate(0.001, Array<number>(21).fill(30))).toBeCloseTo(30.221715597544957, 9)
    expect(inferCultureC('linear', { dutyPercent: 45.57, probeC: COOLING_C })).toBe(38.73)
  })

  test('by the two-exponential model', () => {
    const probeC = Array.from({ length: 29 }, (_, i) =>
      Number((22 + 8 * Math.exp(-0.005 * i) + 10 * Math.exp(-0.14 * i)).toFixed(4)),
    )
    expect(twoExponentialEstimate(probeC)).toBeCloseTo(28.848849514463815, 6)
    expect(inferCultureC('two_exponential', { dutyPercent: 30, probeC })).toBe(28.85)
  })

  test.each(['linear', 'two_exponential'] as const)('is that of the probe when nothing heated: %s', (model) => {
    expect(inferCultureC(model, { dutyPercent: 0, probeC: COOLING_C })).toBe(38.19)
  })

  test('is not told by too few readings, or by some that do not decay', () => {
    expect(inferCultureC('linear', { dutyPercent: 20, probeC: COOLING_C.slice(1) })).toBeNull()
    const rocking = Array.from({ length: 29 }, (_, i) => 30 + 300 * Math.sin(i))
    expect(inferCultureC('two_exponential', { dutyPercent: 20, probeC: rocking })).toBeNull()
    expect(inferCultureC('linear', { dutyPercent: 0, probeC: [] })).toBeNull()
  })

  test.each([
    ['pioreactor_20ml', '1.0', { model: 'two_exponential', samples: 29, periodS: 225, firstAfterS: 80 }],
    ['pioreactor_20ml', '1.1', { model: 'linear', samples: 21, periodS: 200, firstAfterS: 95, isKnownVessel: true }],
    ['pioreactor_40ml_XR', '1.5', { model: 'linear', isKnownVessel: true }],
    ['kettle', '1.0', { model: 'linear', isKnownVessel: false }],
  ])('is inferred on a %s %s by %j', (name, version, plan) => {
    expect(inferencePlan(name, version)).toMatchObject(plan)
  })
})

describe('the heater', () => {
  const limits = { max_temp_to_reduce_heating: 63, max_temp_to_disable_heating: 65, max_temp_to_shutdown: 66 }

  test.each([
    [63, { action: 'none', dutyPercent: null }],
    [63.01, { action: 'reduce', dutyPercent: 36 }],
    [65, { action: 'reduce', dutyPercent: 36 }],
    [65.01, { action: 'disable', dutyPercent: 0 }],
    [66, { action: 'disable', dutyPercent: 0 }],
    [66.01, { action: 'shutdown', dutyPercent: 0 }],
    [Number.NaN, { action: 'disable', dutyPercent: 0 }],
    [-40, { action: 'none', dutyPercent: null }],
  ])('of a probe at %s °C', (probeC, verdict) => {
    expect(judgeProbe(probeC, 40, limits)).toEqual(verdict)
  })

  test('is never told to give more than it gives because it is hot', () => {
    const anyPercent = fc.double({ min: 0, max: 100, noNaN: true })
    fc.assert(
      fc.property(fc.double(), anyPercent, (probeC, duty) => {
        const { dutyPercent } = judgeProbe(probeC, duty, limits)
        if (dutyPercent !== null) expect(dutyPercent).toBeLessThanOrEqual(duty + 0.005)
      }),
    )
  })

  test('gets 0 to 100 %, in steps of a hundredth, and nothing for what is no number', () => {
    fc.assert(
      fc.property(fc.double(), (asked) => {
        const duty = heaterDuty(asked)
        expect(duty).toBeGreaterThanOrEqual(0)
        expect(duty).toBeLessThanOrEqual(100)
        expect(Math.abs(duty * 100 - Math.round(duty * 100))).toBeLessThan(1e-6)
      }),
    )
    expect([heaterDuty(Number.NaN), heaterDuty(-1), heaterDuty(17.17467), heaterDuty(120)]).toEqual([0, 0, 17.17, 100])
  })

  test.each([
    [64.9, false, false],
    [65, false, true],
    [65, true, false],
    [66, true, true],
  ])('at %s °C, with a temperature job: %s, ends the computer: %s', (probeC, isControlled, powerOff) => {
    expect(mustPowerOff(probeC, isControlled, limits)).toBe(powerOff)
  })
})

describe('the ramp of the setpoint', () => {
  test('comes to the target without passing it, and stays', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.double({ min: 0, max: 60, noNaN: true }),
        (from, to) => {
          let setpoint: number | null = null
          // The culture follows the setpoint at once.
          for (let step = 0; step < 200; step++) {
            const next: number = rampSetpoint(setpoint, setpoint ?? from, to)
            expect(Math.abs(next - to)).toBeLessThanOrEqual(Math.abs((setpoint ?? from) - to))
            expect(Math.abs(next - (setpoint ?? from))).toBeLessThanOrEqual(0.7 + 1e-9)
            setpoint = next
          }
          expect(setpoint).toBe(to)
        },
      ),
    )
  })

  test('does not run away from a culture that cooled meanwhile', () => {
    expect(rampSetpoint(37, 25, 37)).toBeCloseTo(27.7, 9)
  })
})

test.each([
  [20, 37, 10, 35],
  [45, 30, 60, 35],
  [20, 37, 90, 100],
  [45, 30, 10, 0],
])(
  'at %s ℃ with a target of %s ℃ the heater goes from %s to %s %%, however large the gain',
  (temperatureC, target, duty, to) => {
    const seen = { temperatureC, dutyPercent: duty, nowS: 0, periodS: 225 }
    expect(thermostatStep(THERMOSTAT_AT_REST, seen, target, { Kp: 1e6, Ki: 0, Kd: 0 }).dutyPercent).toBe(to)
  },
)

test('an infrared thermometer tells the temperature with the time constant of the glass', () => {
  let celsius: number | null = null
  for (const [objectC, ambientC, boardC, sinceS, expected] of [
    [36.5, 28, 45, 0, 37.6726885],
    [37, 28.2, 46, 1, 37.6773076443],
    [37.2, 28.3, 46.5, 5, 37.7091799501],
  ] as const) {
    celsius = infraredCultureC(SEED_INFRARED_ESTIMATOR, { objectC, ambientC, boardC, volumeMl: 14 }, celsius, sinceS)
    expect(celsius).toBeCloseTo(expected, 9)
  }
  const sample = { objectC: 37, ambientC: 28, boardC: 46, volumeMl: 14 }
  expect(infraredCultureC(SEED_INFRARED_ESTIMATOR, sample, Number.NaN, 1)).toBeCloseTo(38.25, 1)
})

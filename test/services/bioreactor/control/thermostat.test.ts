import { describe, expect, test } from 'vitest'
import { inferCultureC, inferencePlan } from '../../../../services/bioreactor/control/temperature/inference.js'
import { temperatureAutomations } from '../../../../services/bioreactor/temperature/automations/index.js'
import type { HeaterDuty, TemperatureSeen } from '../../../../services/bioreactor/temperature/temperature-automation.js'
import { type Heat, heatAt, stepHeat } from '../../../../simulation/bioreactor/heat.js'
import { createRandom } from '../../../../simulation/random.js'

const automation = (name: string) =>
  temperatureAutomations.find(({ definition }) => definition.automation === name) ?? expect.fail(name)

const GAINS = { Kp: 2.6, Ki: 0, Kd: 4.6 }
/** What a probe reading takes, s. */
const READ_S = 0.3
const plan = inferencePlan('pioreactor_20ml', '1.1')

const ROOM_C = 22
/** Of the probe: a least step, noise below half of it, and so many reads for one reading. */
const PROBE_STEP_C = 0.0625
const PROBE_NOISE_C = 0.02
const READS = 6

/** The twin's heat with its probe. */
class HeatedVial {
  heat: Heat = heatAt(ROOM_C)
  dutyPercent = 0
  readonly #volumeMl: number
  readonly #random

  constructor({ volumeMl = 15, seed = 1 } = {}) {
    this.#volumeMl = volumeMl
    this.#random = createRandom(seed)
  }

  /** @param watch is called with the culture's temperature at least every second. */
  advance(seconds: number, watch: (cultureC: number) => void = () => undefined): void {
    for (let left = seconds; left > 1e-9; left--) {
      const surroundings = { heaterPercent: this.dutyPercent, volumeMl: this.#volumeMl, roomC: ROOM_C }
      this.heat = stepHeat(this.heat, surroundings, Math.min(1, left))
      watch(this.heat.cultureC)
    }
  }

  probe(): number {
    const reads = Array.from({ length: READS }, () => {
      const seen = this.heat.heaterBoardC + PROBE_NOISE_C * this.#random.gaussian()
      return Math.round(seen / PROBE_STEP_C) * PROBE_STEP_C
    })
    return reads.reduce((sum, celsius) => sum + celsius, 0) / READS
  }
}

/** The thermostat on a vial, cycle by cycle as the job does it. */
class Loop {
  readonly #behaviour = automation('thermostat').behaviour
  #memory: unknown = this.#behaviour.memory
  #elapsedS = 0
  readonly vial: HeatedVial
  targetC: number
  /** Of the culture, since the last `forget`. */
  low = Number.POSITIVE_INFINITY
  high = Number.NEGATIVE_INFINITY

  constructor(vial: HeatedVial, targetC: number) {
    this.vial = vial
    this.targetC = targetC
    this.decide(vial.probe())
    this.#wait(plan.firstAfterS)
  }

  forget(): void {
    this.low = Number.POSITIVE_INFINITY
    this.high = Number.NEGATIVE_INFINITY
  }

  hours(count: number): void {
    for (let cycle = 0; cycle < (count * 3600) / plan.periodS; cycle++) this.#cycle()
  }

  decide(temperature_c: number): void {
    const seen: TemperatureSeen = {
      temperature_c,
      heater_duty_percent: this.vial.dutyPercent,
      now_s: this.#elapsedS,
      period_s: plan.periodS,
      max_target_c: 78,
    }
    const view = {
      seen,
      settings: { target_temperature: this.targetC, ...GAINS },
      memory: this.#memory,
      cause: 'news' as const,
    }
    const { want, memory } = this.#behaviour.decide(view)
    this.#memory = memory
    this.vial.dutyPercent = want?.heater_duty_percent ?? this.vial.dutyPercent
  }

  #cycle(): void {
    const { vial } = this
    const duty = vial.dutyPercent
    vial.dutyPercent = 0
    const probeC = Array.from({ length: plan.samples }, (_, sample) => {
      if (sample > 0) this.#wait(plan.gapS)
      this.#wait(READ_S / 2)
      const celsius = vial.probe()
      this.#wait(READ_S / 2)
      return celsius
    })
    vial.dutyPercent = duty
    this.decide(inferCultureC(plan.model, { dutyPercent: duty, probeC }) ?? expect.fail('no temperature'))
    this.#wait(plan.periodS - plan.samples * (plan.gapS + READ_S) + plan.gapS)
  }

  #wait(seconds: number): void {
    this.#elapsedS += seconds
    this.vial.advance(seconds, (cultureC) => {
      this.low = Math.min(this.low, cultureC)
      this.high = Math.max(this.high, cultureC)
    })
  }
}

describe('the thermostat', () => {
  test.each([
    [10, 1],
    [15, 1],
    [15, 2],
    [15, 3],
    [18, 4],
  ])('takes %s mL from 22 to 37 °C and holds them there (noise %s)', (volumeMl, seed) => {
    const loop = new Loop(new HeatedVial({ volumeMl, seed }), 37)
    loop.hours(3)
    expect(loop.high).toBeLessThan(38)
    expect(loop.low).toBeGreaterThan(21.9)
    loop.forget()
    loop.hours(21)
    expect(loop.high).toBeLessThan(37.5)
    expect(loop.low).toBeGreaterThan(36.5)
  })

  test('follows a new target up and down without passing it by more than a degree', () => {
    const loop = new Loop(new HeatedVial(), 30)
    loop.hours(3)
    for (const target of [37, 33]) {
      loop.targetC = target
      loop.hours(3)
      loop.forget()
      loop.hours(3)
      expect(Math.max(Math.abs(loop.high - target), Math.abs(loop.low - target))).toBeLessThan(0.7)
    }
  })

  test('comes back after a pause as it came the first time', () => {
    const loop = new Loop(new HeatedVial(), 37)
    loop.hours(3)
    loop.vial.dutyPercent = 0
    loop.vial.advance(3600)
    loop.forget()
    loop.hours(4)
    expect(loop.high).toBeLessThan(38)
    loop.forget()
    loop.hours(3)
    expect(loop.low).toBeGreaterThan(36.5)
  })

  test('asks for no more than the vessel bears, and tells what it did', () => {
    const { decide, report, memory } = automation('thermostat').behaviour
    const settings = { target_temperature: 70, ...GAINS }
    const seen: TemperatureSeen = {
      temperature_c: 62.9,
      heater_duty_percent: 50,
      now_s: 0,
      period_s: 200,
      max_target_c: 63,
    }
    const view = { seen, settings, memory, cause: 'news' as const }
    const { want, pid } = decide(view)
    expect(want?.heater_duty_percent).toBeCloseTo(50.05, 2)
    expect(pid).toMatchObject({ job_name: 'temperature_automation', target_name: 'temperature', latest_input: 62.9 })
    const done: HeaterDuty = { heater_duty_percent: 45 }
    expect(report?.(done, done, view)).toEqual({
      event_name: 'UpdatedHeaterDC',
      message: `delta_dc=${pid?.latest_output}`,
      data: { current_dc: 45, delta_dc: pid?.latest_output, target_temperature: 70, latest_temperature: 62.9 },
    })
  })
})

test('only recording switches the heater off and leaves it off', () => {
  const { decide } = automation('only_record_temperature').behaviour
  const at = (heater_duty_percent: number) =>
    decide({
      seen: { temperature_c: 30, heater_duty_percent, now_s: 0, period_s: 200, max_target_c: 78 },
      settings: {},
      memory: undefined,
      cause: 'news',
    })
  expect(at(20)).toMatchObject({ want: { heater_duty_percent: 0 }, event: { event_name: 'NoEvent' } })
  expect(at(0).want).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import type { Dose } from '../../../../services/bioreactor/control/dosing/dose-plan.js'
import { PID_AT_REST } from '../../../../services/bioreactor/control/pid.js'
import { dosingAutomations } from '../../../../services/bioreactor/dosing/automations/index.js'
import type { DosingSeen, Reading } from '../../../../services/bioreactor/dosing/dosing-automation.js'
import type { Cause } from '../../../../services/jobs/automation.js'

const NOW_S = 1_700_000_000
const reading = (value: number, ageS = 1): Reading => ({ value, atS: NOW_S - ageS })

const quiet: DosingSeen = {
  nowS: NOW_S,
  current_volume_ml: 14,
  alt_media_fraction: 0,
  max_fill_ml: 18,
  od: null,
  od_fused: null,
  normalized_od: null,
  growth_rate: null,
  auto_signal: 'normalized_od',
  lastDoseEndedS: null,
}

const find = (name: string) =>
  dosingAutomations.find(({ definition }) => definition.automation === name) ?? expect.fail(name)

/** Decides from view to view, with what it remembers. */
class Decider {
  readonly behaviour
  #memory: unknown
  readonly settings: Record<string, unknown>
  #view: Parameters<ReturnType<typeof find>['behaviour']['decide']>[0] | undefined

  constructor(name: string, settings: Record<string, unknown>) {
    this.behaviour = find(name).behaviour
    this.#memory = this.behaviour.memory
    this.settings = settings
  }

  decide(seen: Partial<DosingSeen>, cause: Cause = 'news') {
    this.#view = { seen: { ...quiet, ...seen }, settings: { ...this.settings }, memory: this.#memory, cause }
    const decision = this.behaviour.decide(this.#view)
    if (decision.memory !== undefined) this.#memory = decision.memory
    return decision
  }

  report(done: Dose) {
    return this.behaviour.report?.(done, done, this.#view ?? expect.fail('not asked yet'))
  }
}

test('silent does nothing', () => {
  expect(new Decider('silent', {}).decide({})).toEqual({})
})

test('the automations are those of the contract', () => {
  const settable = dosingAutomations.map(({ definition: { automation, own } }) => [
    automation,
    Object.entries(own).flatMap(([name, { settable }]) => (settable === true ? [name] : [])),
  ])
  expect(Object.fromEntries(settable)).toEqual({
    silent: [],
    turbidostat: ['exchange_volume_ml', 'target_biomass', 'biomass_signal'],
    chemostat: ['duration', 'exchange_volume_ml'],
    fed_batch: ['duration', 'dosing_volume_ml'],
    pid_morbidostat: ['duration', 'target_normalized_od', 'target_growth_rate'],
  })
})

test('the chemostat exchanges its volume each time', () => {
  const chemostat = new Decider('chemostat', { duration: 20, exchange_volume_ml: 1.2 })
  expect(chemostat.decide({}, 'period').want).toEqual({ media_ml: 1.2, waste_ml: 1.2 })
  expect(chemostat.report({ media_ml: 0.6, waste_ml: 0.6 })).toEqual({
    event_name: 'DilutionEvent',
    message: 'exchanged 0.6 mL',
    data: { exchange_volume_ml: 1.2, volume_actually_cycled_ml: 0.6 },
  })
})

describe('fed batch', () => {
  const fedBatch = () => new Decider('fed_batch', { duration: 720, dosing_volume_ml: 1.5 })

  test('adds and removes nothing', () => {
    const decider = fedBatch()
    expect(decider.decide({}, 'period').want).toEqual({ media_ml: 1.5, waste_ml: 0 })
    expect(decider.report({ media_ml: 1.5, waste_ml: 0 })).toMatchObject({ event_name: 'AddMediaEvent' })
  })

  test('sleeps when there is no room', () => {
    const { want, pause, event } = fedBatch().decide({ current_volume_ml: 16.5 }, 'period')
    expect(want).toBeUndefined()
    expect(pause).toContain('No room for 1.5 mL')
    expect(event).toMatchObject({ event_name: 'NoEvent' })
  })
})

describe('the turbidostat', () => {
  const settings = { exchange_volume_ml: 1, target_biomass: 0.5, biomass_signal: 'od' }

  test('exchanges when the signal reaches the target', () => {
    const turbidostat = new Decider('turbidostat', settings)
    expect(turbidostat.decide({ od: reading(0.49, 10) }).want).toBeUndefined()
    expect(turbidostat.decide({ od: reading(0.5) }).want).toEqual({ media_ml: 1, waste_ml: 1 })
    expect(turbidostat.report({ media_ml: 1, waste_ml: 0.9 })).toEqual({
      event_name: 'DilutionEvent',
      message: 'od 0.5 reached 0.5; exchanged 1 mL',
      data: {
        latest_biomass: 0.5,
        target_biomass: 0.5,
        resolved_biomass_signal: 'od',
        exchange_volume_ml: 1,
        volume_actually_moved_ml: 1,
      },
    })
  })

  test('judges each reading once, and only those of its signal', () => {
    const turbidostat = new Decider('turbidostat', settings)
    const od = reading(0.6)
    expect(turbidostat.decide({ od }).want).toBeDefined()
    expect(turbidostat.decide({ od, normalized_od: reading(9, 0) }).want).toBeUndefined()
    expect(turbidostat.decide({ normalized_od: reading(9, 0) }).want).toBeUndefined()
    expect(turbidostat.decide({ od: reading(0.6, 0) }).want).toBeDefined()
  })

  test.each([
    [29.9, false],
    [30, true],
  ])('%s s after a dose by whomever, a reading counts: %s', (seconds, counts) => {
    const turbidostat = new Decider('turbidostat', settings)
    const od = reading(0.6)
    expect(turbidostat.decide({ od, lastDoseEndedS: od.atS - seconds }).want !== undefined).toBe(counts)
  })

  test('does not dose by a reading that is 5 min old', () => {
    const turbidostat = new Decider('turbidostat', settings)
    expect(() => turbidostat.decide({ od: reading(0.6, 301) })).toThrow(/301 s old; the limit is 300 s/)
  })

  test('goes on by the next reading when the clock is set back by a day, and never by the last one before', () => {
    const turbidostat = new Decider('turbidostat', settings)
    const before = reading(0.6, -86_400)
    expect(() => turbidostat.decide({ od: before })).toThrow(/86400 s ahead of the clock/)
    expect(turbidostat.decide({ od: reading(0.6, 0), lastDoseEndedS: before.atS }).want).toBeDefined()
  })

  test('takes for auto what the unit had when it was set', () => {
    const turbidostat = new Decider('turbidostat', { ...settings, biomass_signal: 'auto' })
    turbidostat.decide({ auto_signal: 'od' })
    expect(turbidostat.decide({ auto_signal: 'od_fused', od_fused: reading(9) }).want).toBeUndefined()
    expect(turbidostat.decide({ auto_signal: 'od_fused', od: reading(9) }).want).toBeDefined()
    turbidostat.settings['biomass_signal'] = 'normalized_od'
    turbidostat.decide({})
    turbidostat.settings['biomass_signal'] = 'auto'
    expect(turbidostat.decide({ auto_signal: 'od_fused', od_fused: reading(9, 0) }).want).toBeDefined()
  })
})

describe('the morbidostat', () => {
  const settings = {
    duration: 60,
    target_normalized_od: 1.5,
    target_growth_rate: 0.1,
    minimum_dosing_volume_ml: 0.1,
    Kp: 1,
    Ki: 0,
    Kd: 0,
  }
  const decide = (density: number, growthRate: number, more: Record<string, unknown> = {}) =>
    new Decider('pid_morbidostat', { ...settings, ...more }).decide(
      { normalized_od: reading(density), growth_rate: reading(growthRate) },
      'period',
    )

  test('leaves a thin culture alone', () => {
    expect(decide(1.04, 0.5)).toMatchObject({ event: { event_name: 'NoEvent' } })
    expect(decide(1.04, 0.5).want).toBeUndefined()
  })

  test.each([
    // 0.1 h⁻¹ of 14 mL in an hour are 1.4 mL; the share of the alternative medium is what the growth rate is above the target.
    [1.2, 0.05, 0, 1.4],
    [1.2, 0.6, 0.7, 0.7],
    [1.2, 1.3, 1.4, 0],
    [2, 0.6, 1.75, 1.75],
    [1.2, 0.15, 0, 1.33],
  ])('at density %s and growth rate %s gives %s and %s mL', (density, rate, alt, media) => {
    const { want, pid } = decide(density, rate)
    expect(want?.alt_media_ml).toBeCloseTo(alt, 9)
    expect(want?.media_ml).toBeCloseTo(media, 9)
    expect(want?.waste_ml).toBeCloseTo(alt + media, 9)
    expect(pid).toMatchObject({ target_name: 'growth_rate', setpoint: 0.1, Kp: -1, latest_input: rate })
  })

  test('remembers its errors', () => {
    const { memory } = decide(1.2, 0.3, { Ki: 1 })
    expect(memory).not.toEqual(PID_AT_REST)
  })

  test('does not dose without readings', () => {
    const morbidostat = new Decider('pid_morbidostat', settings)
    expect(() => morbidostat.decide({ normalized_od: reading(2) })).toThrow(/No growth rate/)
    expect(() => morbidostat.decide({ growth_rate: reading(2), normalized_od: reading(2, 400) })).toThrow(/400 s old/)
    expect(() => morbidostat.decide({ growth_rate: reading(2), normalized_od: reading(2, -400) })).toThrow(
      /400 s ahead/,
    )
  })

  test('tells what was added', () => {
    const morbidostat = new Decider('pid_morbidostat', settings)
    morbidostat.decide({ normalized_od: reading(1.2), growth_rate: reading(0.6) })
    expect(morbidostat.report({ alt_media_ml: 0.35, media_ml: 0.35, waste_ml: 0.7 })).toMatchObject({
      event_name: 'AddAltMediaEvent',
      data: { fraction_of_alt_media_to_add: 0.5, alt_media_ml: 0.35, media_ml: 0.35 },
    })
  })
})

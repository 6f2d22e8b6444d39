// Longer than 300 lines: one automation of the test shows everything that the host does for it.

import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { afterEach, describe, expect, test } from 'vitest'
import type { AutomationEvent, AutomationSettings } from '../../../events/bioreactor/automations.js'
import { LabError } from '../../../events/core/errors.js'
import { stopJobsCommand } from '../../../events/system/commands.js'
import type { Dose } from '../../../services/bioreactor/control/dosing/dose-plan.js'
import { dosingAutomations } from '../../../services/bioreactor/dosing/automations/index.js'
import { type DosingSeen, dosingAutomation } from '../../../services/bioreactor/dosing/dosing-automation.js'
import { jobDefinitions } from '../../../services/bioreactor/index.js'
import { ledAutomations } from '../../../services/bioreactor/leds/automations/index.js'
import { ledAutomation, openLeds } from '../../../services/bioreactor/leds/led-automation.js'
import {
  type HeaterDuty,
  type TemperatureSeen,
  temperatureAutomation,
} from '../../../services/bioreactor/temperature/temperature-automation.js'
import { createAutomationJob, type OpenPort } from '../../../services/jobs/automation-host.js'
import { sleepS } from '../../../services/runtime/repeat.js'
import { createRandom } from '../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { give } from '../../support/give.js'
import { LitBioreactor } from '../../support/lit-bioreactor.js'
import { MemoryBroker } from '../../support/memory-bus.js'

const OFFERED = ledAutomations.map(({ definition }) => definition.automation)

let lab: BioreactorLab
afterEach(async () => {
  if (lab === undefined) return
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  lab.close()
})

const events = (kind: string): AutomationEvent[] =>
  lab
    .published(`${kind}_automation/latest_event`)
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as AutomationEvent)

const history = (kind: string): (Omit<AutomationSettings, 'settings'> & { settings: unknown })[] =>
  lab.published(`${kind}_automation/${kind}_automation_settings`).map((text) => {
    const told = JSON.parse(text) as AutomationSettings
    return { ...told, settings: JSON.parse(Buffer.from(told.settings, 'base64').toString()) as unknown }
  })

describe('an LED automation', () => {
  // What stands between the marks is the example of `automationsOf`, word for word but for its first line.
  // example
  const blinking = ledAutomation(
    {
      name: 'blinking',
      help: 'A second of light, a second of darkness.',
      parameters: {
        light_intensity: {
          schema: Type.Number({ minimum: 0, maximum: 100 }),
          unit: '%',
          doc: 'Of LED B.',
          settable: true,
        },
      },
    },
    {
      schedule: 'continuous',
      decide: ({ seen, settings }) => ({
        want: { B: Math.floor(seen.elapsedS) % 2 === 0 ? settings.light_intensity : 0 },
        askAgainS: 1 - (seen.elapsedS % 1),
      }),
    },
  )
  // end of example

  let bioreactor: LitBioreactor
  const level = (): number => bioreactor.leds.state.B
  async function start(): Promise<void> {
    bioreactor = new LitBioreactor(createRandom(3))
    lab = await startBioreactorLab({
      bioreactor,
      jobs: ({ leds }) => [createAutomationJob(blinking, openLeds(leds))],
    })
  }
  const run = (options: Record<string, unknown> = { light_intensity: 30 }) =>
    lab.run('led_automation', { automation_name: 'blinking', ...options })

  test('is the example in the documentation', () => {
    const own = readFileSync(`${process.cwd()}/test/services/jobs/automation-host.test.ts`, 'utf8')
    const example = own.split('  // example\n')[1]?.split('  // end of example')[0] ?? ''
    const comment = readFileSync(`${process.cwd()}/services/jobs/automation.ts`, 'utf8')
    const shown = /^ \* ```ts\n([\s\S]*?)\n \* ``` \*\/$/m.exec(comment)?.[1]?.replace(/^ \* ?/gm, '') ?? ''
    const lines = (text: string): string[] => text.split('\n').map((line) => line.trim())
    expect(lines(shown).slice(2)).toEqual(lines(example.trim()))
  })

  test('does not compile with a setting it does not have', () => {
    const parameters = { level: { schema: Type.Number(), doc: '', settable: true } } as const
    const wrong = (): void => {
      ledAutomation(
        { name: 'x', help: '', parameters },
        {
          schedule: 'continuous',
          // @ts-expect-error no such setting
          decide: ({ settings }) => ({ want: { B: settings.levle } }),
        },
      )
      ledAutomation(
        { name: 'x', help: '', parameters },
        {
          schedule: 'continuous',
          // @ts-expect-error no such LED
          decide: ({ settings }) => ({ want: { E: settings.level } }),
        },
      )
    }
    expect(wrong).toBeTypeOf('function')
  })

  test('does what it decides, when it wants to be asked again', async () => {
    await start()
    expect(await run()).toMatchObject({ status: 'succeeded' })
    expect(lab.published('led_automation/automation_name')).toEqual(['blinking'])
    expect(lab.published('led_automation/light_intensity')).toEqual(['30'])
    const seen: number[] = []
    for (let second = 0; second < 4; second++) {
      seen.push(level())
      await lab.clock.advance(1000)
    }
    expect(seen).toEqual([30, 0, 30, 0])
    expect(JSON.parse(lab.published('led_change_events')[0] ?? '')).toMatchObject({
      channel: 'B',
      intensity: 30,
      source_of_event: 'led_automation:blinking',
    })
  })

  test('follows a change of its settings at once, and tells how long the old ones were in force', async () => {
    await start()
    await run()
    await lab.clock.advance(400)
    await lab.set('led_automation', 'light_intensity', '{"value": 60, "id": "mine"}')
    expect(level()).toBe(60)
    expect(lab.published('led_automation/light_intensity/set/outcome')[0]).toContain('"id":"mine","accepted":true')
    await lab.clock.advance(1600)
    await lab.set('led_automation', '$state', 'disconnected')
    expect(history('led')).toEqual([
      {
        pioreactor_unit: 'u1',
        experiment: 'exp',
        automation_name: 'blinking',
        started_at: '2026-01-02T03:04:05.000Z',
        ended_at: '2026-01-02T03:04:05.400Z',
        settings: { light_intensity: 30, state: 'ready' },
      },
      expect.objectContaining({
        started_at: '2026-01-02T03:04:05.400Z',
        ended_at: '2026-01-02T03:04:07.000Z',
        settings: { light_intensity: 60, state: 'ready' },
      }),
    ])
  })

  test('is dark while it sleeps and when it has ended', async () => {
    await start()
    await run()
    expect(level()).toBe(30)
    await lab.set('led_automation', '$state', 'sleeping')
    expect(level()).toBe(0)
    await lab.clock.advance(2000)
    expect(level()).toBe(0)
    await lab.set('led_automation', '$state', 'ready')
    expect(level()).toBe(30)
    await lab.set('led_automation', '$state', 'disconnected')
    expect(level()).toBe(0)
    await lab.clock.advance(4000)
    expect(level()).toBe(0)
  })

  test('that ends during an optical reading is not lit again by it', async () => {
    await start()
    await run()
    await lab.run('od_reading')
    while (bioreactor.leds.state.A === 0 || level() > 0) await lab.clock.advance(10)
    await give(lab.service, stopJobsCommand, { job_name: 'led_automation' }, 'stop')
    await lab.clock.advance(4000)
    expect(level()).toBe(0)
    expect(lab.published('led_automation/$state').at(-1)).toBe('disconnected')
  })

  test.each([
    [{ light_intensity: 101 }, 'light_intensity is 101 %; it must be at most 100 %.'],
    [{}, 'light_intensity is missing.'],
    [
      { automation_name: 'disco' },
      `led_automation has no automation 'disco'; there are ${[...OFFERED, 'blinking'].join(', ')}.`,
    ],
    [{ automation_name: null }, `automation_name is missing; there are ${[...OFFERED, 'blinking'].join(', ')}.`],
  ])('%j is refused', async (options, message) => {
    await start()
    const task = await run(options)
    expect(JSON.stringify(task['error'])).toContain(message)
    expect(lab.published('led_automation/$state')).toEqual([])
  })

  test('of a kind only one runs at a time', async () => {
    await start()
    await run()
    const task = await lab.run('led_automation', { automation_name: 'silent' })
    expect(task).toMatchObject({ status: 'failed', error: { details: { code: 'job.duplicate' } } })
    await lab.set('led_automation', '$state', 'disconnected')
    expect(await lab.run('led_automation', { automation_name: 'silent' })).toMatchObject({ status: 'succeeded' })
    expect(lab.published('led_automation/automation_name')).toEqual(['blinking', '', 'silent'])
  })

  test('each is announced by itself', async () => {
    await start()
    const announced = [...lab.broker.retained.keys()].filter((topic) =>
      topic.includes('/capabilities/jobs/led_automation/'),
    )
    expect(announced).toEqual(
      [...OFFERED, 'blinking'].map((name) => `system/u1/capabilities/jobs/led_automation/${name}`),
    )
  })
})

test('what is no longer on offer is no longer announced', async () => {
  const broker = new MemoryBroker()
  const stale = ['gone', 'led_automation/gone'].map((key) => `system/u1/capabilities/jobs/${key}`)
  for (const topic of stale) broker.retained.set(topic, Buffer.from('{"job_name":"gone","published_settings":{}}'))
  lab = await startBioreactorLab({ broker })
  expect([...broker.retained.keys()].filter((topic) => topic.includes('/capabilities/jobs/'))).toEqual([
    ...jobDefinitions.map(({ key }) => `system/u1/capabilities/jobs/${key}`),
  ])
})

describe('a dosing automation', () => {
  const toppingUp = dosingAutomation(
    {
      name: 'topping_up',
      help: 'Keep the volume.',
      parameters: {
        duration: {
          schema: Type.Number({ exclusiveMinimum: 0 }),
          unit: 'min',
          doc: 'Between doses.',
          settable: true,
          default: 10,
        },
        volume_ml: {
          schema: Type.Number({ minimum: 0, maximum: 14 }),
          unit: 'mL',
          doc: 'To keep.',
          settable: true,
          default: 12,
        },
      },
    },
    {
      schedule: 'periodic',
      decide: ({ seen, settings }) => {
        const lacking = settings.volume_ml - seen.current_volume_ml
        return lacking > 0 ? { want: { media_ml: lacking, alt_media_ml: 0, waste_ml: 0 } } : {}
      },
      report: (done) => ({
        event_name: 'AddMediaEvent',
        message: `Added ${done.media_ml} mL.`,
        data: { media_ml: done.media_ml },
      }),
    },
  )

  /** Pumps 1 mL/s into a vial that loses nothing by itself. */
  class Vial {
    volume = 10
    pumping = false
    dry = false
    runs = 0

    readonly open: OpenPort<DosingSeen, Dose, Dose> = async (job) => {
      const off = (): void => {
        this.pumping = false
      }
      job.atEnd(off)
      return {
        see: () => ({
          nowS: job.clock.now().getTime() / 1000,
          current_volume_ml: this.volume,
          alt_media_fraction: 0,
          max_fill_ml: 18,
          od: null,
          od_fused: null,
          normalized_od: null,
          growth_rate: null,
          auto_signal: 'normalized_od',
          lastDoseEndedS: null,
        }),
        carryOut: async (dose, stop) => {
          if (this.dry) throw new LabError('pump.uncalibrated', 'state', 'The media pump has no calibration.')
          this.runs++
          this.pumping = true
          const begunMs = job.clock.monotonicMs()
          await sleepS(job.clock, dose.media_ml ?? 0, stop)
          off()
          const moved = (job.clock.monotonicMs() - begunMs) / 1000
          this.volume += moved
          if (this.volume > 13) job.pause('the vial is nearly full')
          return { media_ml: moved, alt_media_ml: 0, waste_ml: 0 }
        },
        sleep: async () => off(),
        wake: async () => undefined,
      }
    }
  }

  let vial: Vial
  async function start(options: Record<string, unknown> = {}): Promise<void> {
    vial = new Vial()
    lab = await startBioreactorLab({ jobs: () => [createAutomationJob(toppingUp, vial.open)] })
    await lab.run('dosing_automation', { automation_name: 'topping_up', ...options })
  }
  const minutes = (count: number): Promise<void> => lab.clock.advance(count * 60_000)

  test('runs 2 s after its start and then once a period, and tells what was done', async () => {
    await start()
    expect(vial.runs).toBe(0)
    await lab.clock.advance(4100)
    expect(vial.volume).toBe(12)
    expect(events('dosing')).toEqual([{ event_name: 'AddMediaEvent', message: 'Added 2 mL.', data: { media_ml: 2 } }])
    vial.volume = 11
    await minutes(9)
    expect(vial.runs).toBe(1)
    await minutes(1)
    expect(vial.volume).toBe(12)
    // Nothing lacks: nothing is done and nothing told.
    await minutes(10)
    expect(vial.runs).toBe(2)
    expect(events('dosing')).toHaveLength(2)
  })

  test('waits a period first when it is told to', async () => {
    await start({ skip_first_run: 'yes' })
    await minutes(9)
    expect(vial.runs).toBe(0)
    await minutes(1.1)
    expect(vial.runs).toBe(1)
  })

  test('a period that a shorter one makes over is over at once; a change of what it does is no run', async () => {
    await start()
    await minutes(6)
    vial.volume = 11
    await lab.set('dosing_automation', 'volume_ml', '11.5')
    expect(vial.runs).toBe(1)
    await lab.set('dosing_automation', 'duration', '5')
    expect(vial.runs).toBe(2)
    await lab.clock.advance(500)
    expect(vial.volume).toBe(11.5)
    vial.volume = 11
    await minutes(5.1)
    expect(vial.runs).toBe(3)
    expect(history('dosing').map(({ settings }) => settings)).toEqual([
      { duration: 10, volume_ml: 12, state: 'ready' },
      { duration: 10, volume_ml: 11.5, state: 'ready' },
    ])
  })

  test('a pause stops the pump at once, and periods that end during it are skipped', async () => {
    await start()
    await lab.clock.advance(3000)
    expect(vial.pumping).toBe(true)
    await lab.set('dosing_automation', '$state', 'sleeping')
    expect(vial.pumping).toBe(false)
    await minutes(15)
    expect(vial.runs).toBe(1)
    await lab.set('dosing_automation', '$state', 'ready')
    expect(vial.runs).toBe(1)
    await minutes(5.1)
    expect(vial.runs).toBe(2)
  })

  test('without the broker it stops at once', async () => {
    await start()
    await lab.clock.advance(3000)
    await lab.service.suspend('the connection to the broker is lost')
    expect(vial.pumping).toBe(false)
  })

  test('the host can put it to sleep', async () => {
    await start({ volume_ml: 14 })
    await lab.clock.advance(10_000)
    expect(lab.published('dosing_automation/$state').at(-1)).toBe('sleeping')
    expect(lab.published('logs/app/warning').at(-1)).toContain('the vial is nearly full')
  })

  test('what goes wrong is an event, and the next period tries again', async () => {
    await start()
    vial.dry = true
    await lab.clock.advance(3000)
    expect(events('dosing')).toEqual([
      { event_name: 'ErrorOccurred', message: 'The media pump has no calibration.', data: null },
    ])
    expect(lab.published('logs/app/warning').at(-1)).toContain('no calibration')
    vial.dry = false
    await minutes(10)
    expect(vial.runs).toBe(1)
  })

  test('its end stops the pump', async () => {
    await start()
    await lab.clock.advance(3000)
    await give(lab.service, stopJobsCommand, { all: true }, 'stop')
    expect(vial.pumping).toBe(false)
    await minutes(30)
    expect(vial.runs).toBe(1)
    expect(lab.broker.retained.has('pioreactor/u1/exp/dosing_automation/latest_event')).toBe(false)
  })
})

describe('what a decision says beside what it wants', () => {
  const seen: DosingSeen = {
    nowS: 1000,
    current_volume_ml: 17.5,
    alt_media_fraction: 0,
    max_fill_ml: 18,
    od: null,
    od_fused: null,
    normalized_od: { value: 1.4, atS: 999 },
    growth_rate: { value: 0.3, atS: 999 },
    auto_signal: 'od',
    lastDoseEndedS: null,
  }
  const doses: Dose[] = []

  async function start(name: string): Promise<void> {
    doses.length = 0
    const open: OpenPort<DosingSeen, Dose, Dose> = async () => ({
      see: () => seen,
      carryOut: async (dose) => {
        doses.push(dose)
        return dose
      },
      sleep: async () => undefined,
      wake: async () => undefined,
    })
    lab = await startBioreactorLab({ jobs: () => dosingAutomations.map((one) => createAutomationJob(one, open)) })
    await lab.run('dosing_automation', { automation_name: name })
    await lab.clock.advance(2500)
  }

  test('the step of its controller is published', async () => {
    await start('pid_morbidostat')
    expect(doses).toHaveLength(1)
    const [step] = lab.published('pid_log/growth_rate').map((text) => JSON.parse(text) as Record<string, unknown>)
    expect(step).toMatchObject({ job_name: 'dosing_automation', setpoint: 0.1, latest_input: 0.3, Kp: -1 })
    expect(events('dosing').at(-1)).toMatchObject({ event_name: 'AddAltMediaEvent' })
  })

  test('a reason to pause puts the job to sleep, and is told', async () => {
    await start('fed_batch')
    expect(doses).toEqual([])
    expect(lab.published('dosing_automation/$state').at(-1)).toBe('sleeping')
    expect(events('dosing').at(-1)).toMatchObject({
      event_name: 'NoEvent',
      message: expect.stringContaining('No room') as unknown,
    })
    expect(lab.published('logs/app/warning').at(-1)).toContain('No room for 1 mL')
  })
})

describe('a temperature automation', () => {
  const holding = temperatureAutomation(
    {
      name: 'holding',
      help: 'Heat in proportion to what lacks, slowly.',
      parameters: {
        target_temperature: {
          schema: Type.Number({ minimum: 0, maximum: 40 }),
          unit: '℃',
          doc: 'To hold.',
          settable: true,
        },
      },
    },
    {
      schedule: 'on_news',
      memory: { steps: 0 },
      decide: ({ seen, settings, memory }) => ({
        want: { heater_duty_percent: 10 * (settings.target_temperature - seen.temperature_c) },
        memory: { steps: memory.steps + 1 },
      }),
      report: (done, _want, { memory }) => ({
        event_name: 'UpdatedHeaterDC',
        message: null,
        data: { current_dc: done.heater_duty_percent, step: memory.steps },
      }),
    },
  )

  test('is asked at every new temperature, remembers, and hears what the limits left of its wish', async () => {
    let news: () => void = () => undefined
    let temperature = 25
    let duty = 0
    const open: OpenPort<TemperatureSeen, HeaterDuty, HeaterDuty> = async (job) => {
      job.atEnd(() => {
        duty = 0
      })
      return {
        see: () => ({
          temperature_c: temperature,
          heater_duty_percent: duty,
          now_s: 0,
          period_s: 200,
          max_target_c: 78,
        }),
        carryOut: async (want) => {
          duty = Math.min(want.heater_duty_percent, 40)
          job.publish('heater_duty_cycle', duty)
          return { heater_duty_percent: duty }
        },
        watch(listener) {
          news = listener
          return () => {
            news = () => undefined
          }
        },
        sleep: async () => {
          duty = 0
        },
        wake: async () => undefined,
      }
    }
    lab = await startBioreactorLab({ jobs: () => [createAutomationJob(holding, open)] })
    await lab.run('temperature_automation', { 'automation-name': 'holding', 'target-temperature': '30' })
    expect(duty).toBe(0)
    for (const measured of [25, 28]) {
      temperature = measured
      news()
      await lab.clock.advance(0)
    }
    expect(events('temperature')).toEqual([
      { event_name: 'UpdatedHeaterDC', message: null, data: { current_dc: 40, step: 0 } },
      { event_name: 'UpdatedHeaterDC', message: null, data: { current_dc: 20, step: 1 } },
    ])
    expect(lab.published('temperature_automation/heater_duty_cycle')).toEqual(['40', '20'])
    await lab.set('temperature_automation', '$state', 'sleeping')
    news()
    await lab.clock.advance(0)
    expect(duty).toBe(0)
    await give(lab.service, stopJobsCommand, { all: true }, 'stop')
    news()
    await lab.clock.advance(0)
    expect(events('temperature')).toHaveLength(2)
  })
})

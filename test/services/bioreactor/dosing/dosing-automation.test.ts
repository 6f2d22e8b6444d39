// Longer than 300 lines: every automation on one pair of jobs that measure.

import { Type } from '@sinclair/typebox'
import { afterEach, describe, expect, test } from 'vitest'
import type { AutomationEvent } from '../../../../events/bioreactor/automations.js'
import type { DosingEvent } from '../../../../events/bioreactor/liquids.js'
import { defineJob } from '../../../../events/core/define-job.js'
import { timestampOf } from '../../../../events/core/timestamp.js'
import { createJob, type Job, type JobContext } from '../../../../services/jobs/job.js'
import { type BioreactorLab, type LabOptions, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import type { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { until } from '../../../support/until.js'

const PINS = { media: 13, alt_media: 16, waste: 12 }

let lab: BioreactorLab
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  await lab.book.stop()
  lab.close()
})

/** Jobs that say what the test wants to have been measured. */
const measuring = (name: string, schema: ReturnType<typeof Type.Any>, settings: readonly string[]) => {
  const parameters = Object.fromEntries(
    settings.map((setting) => [setting, { schema, doc: 'A reading.', published: true as const }]),
  )
  let running: JobContext | null = null
  const job: Job = createJob(defineJob({ name, help: 'Measure.', parameters }), async (context) => {
    running = context as JobContext
    return { setters: {}, sleep: async () => undefined, wake: async () => undefined }
  })
  return { job, publish: (setting: string, value: unknown) => running?.publish(setting, value) }
}

let od: ReturnType<typeof measuring>
let growth: ReturnType<typeof measuring>

/** 1 mL/s on every pump. */
async function start(options: LabOptions<FakeBioreactor> = {}, calibrated = Object.keys(PINS)) {
  od = measuring('od_reading', Type.Any(), ['ods', 'od_fused', 'interval'])
  growth = measuring('growth_rate_calculating', Type.Any(), ['growth_rate', 'od_filtered'])
  lab = await startBioreactorLab({ ...options, jobs: () => [od.job, growth.job] })
  for (const name of calibrated) lab.calibrations.set(`${name}_pump`, pumpCalibration(name, 1))
  await lab.run('od_reading')
  await lab.run('growth_rate_calculating')
}

const run = (automation_name: string, options: Record<string, unknown> = {}, more = {}) =>
  lab.run('dosing_automation', { automation_name, ...options }, more)
const measured = (value: number): void => {
  const timestamp = timestampOf(lab.clock.now())
  const reading = { calibrated: 0, timestamp, angle: '90', od: value, channel: '2', ir_led_intensity: 80 }
  od.publish('ods', { timestamp, ods: { '2': reading } })
}
const grew = (rate: number, density: number): void => {
  const timestamp = timestampOf(lab.clock.now())
  growth.publish('growth_rate', { growth_rate: rate, timestamp })
  growth.publish('od_filtered', { od_filtered: density, timestamp })
}
const duty = (pump: keyof typeof PINS): number => lab.bioreactor.duty.get(PINS[pump]) ?? 0
const doses = (): DosingEvent[] => lab.published('dosing_events').map((text) => JSON.parse(text) as DosingEvent)
const moved = (event: string): number =>
  doses().reduce((sum, dose) => (dose.event === event ? sum + dose.volume_change : sum), 0)
const events = (): AutomationEvent[] =>
  lab
    .published('dosing_automation/latest_event')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as AutomationEvent)
const names = (): string[] => events().map(({ event_name }) => event_name)
const volume = (): number => lab.book.liquid('exp').volume_ml
const logged = (level: string): string => lab.published(`logs/app/${level}`).join('\n')
const state = (): string | undefined => lab.published('dosing_automation/$state').at(-1)

describe('chemostat', () => {
  test('exchanges two seconds after its start, and then after every period', async () => {
    await start()
    await run('chemostat', { duration: 1, exchange_volume_ml: 0.5 })
    expect(lab.published('dosing_automation/automation_name')).toEqual(['chemostat'])
    await lab.clock.advance(59_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    expect(moved('remove_waste')).toBeCloseTo(0.5, 6)
    expect(names()).toEqual(['DosingStarted', 'DosingStopped', 'DilutionEvent'])
    expect(events()[0]?.data).toEqual({ waste_ml: 0.5, media_ml: 0.5 })
    expect(events()[2]?.data).toEqual({
      exchange_volume_ml: 0.5,
      volume_actually_cycled_ml: expect.closeTo(0.5, 6) as number,
    })
    expect(doses()[0]?.source_of_event).toBe('dosing_automation:chemostat')
    await lab.clock.advance(60_000)
    expect(moved('add_media')).toBeCloseTo(1, 6)
    expect(volume()).toBeCloseTo(15, 6)
  })

  test('gives a large dose in equal parts, each followed by waste, and counts the waste that left', async () => {
    await start()
    await run('chemostat', { duration: 10, exchange_volume_ml: 1.2 })
    await lab.clock.advance(30_000)
    const runs = lab.bioreactor.writes.filter(({ value }) => value > 0).map(({ output }) => output)
    expect(runs).toEqual(['pin13', 'pin12', 'pin13', 'pin12'])
    expect(Number(lab.published('bioreactor/cumulative_waste_removed_ml').at(-1))).toBeCloseTo(1.2, 6)
    expect(Number(lab.published('bioreactor/cumulative_media_added_ml').at(-1))).toBeCloseTo(1.2, 6)
  })

  test('follows its settings, and refuses what is none', async () => {
    await start()
    await run('chemostat', { duration: 60, exchange_volume_ml: 0.5 })
    await lab.clock.advance(30_000)
    await lab.set('dosing_automation', 'exchange_volume_ml', '0.7')
    await lab.set('dosing_automation', 'duration', '1')
    await lab.clock.advance(45_000)
    expect(moved('add_media')).toBeCloseTo(1.2, 6)
    for (const [setting, text] of [
      ['exchange_volume_ml', '-1'],
      ['exchange_volume_ml', '37'],
      ['exchange_volume_ml', 'NaN'],
      ['duration', '0'],
      ['duration', 'inf'],
    ] as const) {
      await lab.set('dosing_automation', setting, text)
      expect(lab.published(`dosing_automation/${setting}/set/outcome`).at(-1)).toContain('"accepted":false')
    }
    expect(lab.published('dosing_automation/exchange_volume_ml').at(-1)).toBe('0.7')
    expect(lab.published('dosing_automation/dosing_automation_settings')).toHaveLength(2)
  })
})

describe('a start', () => {
  test.each([
    [['media'], /waste pump has no active calibration/],
    [['waste'], /media pump has no active calibration/],
  ])('with %j calibrated alone is refused', async (calibrated, reason) => {
    await start({}, calibrated)
    const task = await run('chemostat')
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(reason) as string } })
    expect(state()).toBe('disconnected')
  })

  test('silent needs no pump', async () => {
    await start({}, [])
    expect(await run('silent')).toMatchObject({ status: 'succeeded' })
    expect(state()).toBe('ready')
  })

  test('takes what is said of the vial, publishes it, and refuses what it cannot hold', async () => {
    await start()
    await run('silent', { current_volume_ml: 12, alt_media_fraction: 0.25, efflux_tube_volume_ml: 13 })
    expect(lab.published('bioreactor/current_volume_ml').at(-1)).toBe('12')
    expect(lab.published('bioreactor/alt_media_fraction').at(-1)).toBe('0.25')
    expect(lab.published('bioreactor/efflux_tube_volume_ml').at(-1)).toBe('13')
    await lab.set('dosing_automation', '$state', 'disconnected')
    const task = await run('silent', { current_volume_ml: 21 })
    expect(task).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(/current_volume_ml.*21.*20 mL/) as string },
    })
    expect(volume()).toBe(12)
  })

  test('warns when nothing stirs, and when nothing is removed', async () => {
    await start()
    await run('fed_batch', { dosing_volume_ml: 0.5, duration: 10 })
    expect(logged('warning')).toContain('Stirring is not running')
    expect(logged('warning')).toContain('Nothing is removed')
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    expect(names().at(-1)).toBe('AddMediaEvent')
  })
})

describe('turbidostat', () => {
  const options = { target_biomass: 1, exchange_volume_ml: 0.5, biomass_signal: 'od' }

  test('exchanges when a new reading reaches the target, and waits until it has settled', async () => {
    await start()
    measured(2)
    await run('turbidostat', options)
    await lab.clock.advance(10_000)
    expect(doses()).toEqual([])
    measured(0.99)
    await lab.clock.advance(10)
    expect(doses()).toEqual([])
    measured(1)
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    expect(names().at(-1)).toBe('DilutionEvent')
    expect(events().at(-1)?.data).toMatchObject({ latest_biomass: 1, target_biomass: 1, resolved_biomass_signal: 'od' })
    measured(1.1)
    await lab.clock.advance(20_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    await lab.clock.advance(20_000)
    measured(1.1)
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(1, 6)
  })

  test('does not act on a reading that came while it slept', async () => {
    await start()
    await run('turbidostat', options)
    await lab.set('dosing_automation', '$state', 'sleeping')
    measured(2)
    await lab.clock.advance(1000)
    await lab.set('dosing_automation', '$state', 'ready')
    await lab.clock.advance(60_000)
    expect(doses()).toEqual([])
    measured(2)
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
  })

  test('other news of the jobs that measure do not trigger it', async () => {
    await start()
    await run('turbidostat', { ...options, biomass_signal: 'normalized_od' })
    measured(5)
    grew(0.1, 0.5)
    await lab.clock.advance(10_000)
    expect(doses()).toEqual([])
    grew(0.1, 1.2)
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
  })
})

describe('pid_morbidostat', () => {
  test('doses the alternative medium when the culture grows too fast', async () => {
    await start()
    await run('pid_morbidostat', {
      target_growth_rate: 0.1,
      target_normalized_od: 1,
      duration: 30,
      skip_first_run: true,
    })
    await lab.clock.advance(30 * 60_000 - 1500)
    grew(0.5, 1.1)
    await lab.clock.advance(60_000)
    expect(names()).toEqual(['DosingStarted', 'DosingStopped', 'AddAltMediaEvent'])
    expect(moved('add_alt_media')).toBeCloseTo(0.4 * 0.75, 6)
    expect(moved('add_media')).toBeCloseTo(0.6 * 0.75, 6)
    expect(moved('remove_waste')).toBeCloseTo(0.75, 6)
    expect(lab.published('pid_log/growth_rate')).toHaveLength(1)
  })

  test('does not dose by readings that are missing or old', async () => {
    await start()
    grew(0.5, 1.5)
    await run('pid_morbidostat', { duration: 10 })
    await lab.clock.advance(10 * 60_000)
    const told = events().length
    await lab.clock.advance(60_000)
    expect(events().at(told - 1)).toBeDefined()
    expect(events().at(-1)).toMatchObject({
      event_name: 'ErrorOccurred',
      message: expect.stringMatching(/s old/) as string,
    })
    await lab.set('growth_rate_calculating', '$state', 'disconnected')
    await lab.clock.advance(10 * 60_000)
    expect(events().at(-1)).toMatchObject({
      event_name: 'ErrorOccurred',
      message: expect.stringMatching(/No normalized OD/) as string,
    })
  })
})

describe('a pause', () => {
  test('stops the pump at once, and what it broke off is completed when the time of the dose is not over', async () => {
    await start()
    await run('chemostat', { duration: 60, exchange_volume_ml: 1 })
    await lab.clock.advance(2400)
    expect(duty('media')).toBe(60)
    await lab.set('dosing_automation', '$state', 'sleeping')
    expect(duty('media')).toBe(0)
    expect(moved('add_media')).toBeCloseTo(0.4, 6)
    expect(names()).toEqual(['DosingStarted', 'DosingStopped', 'DilutionEvent'])
    expect(events()[2]?.data).toMatchObject({ volume_actually_cycled_ml: expect.closeTo(0.4, 6) as number })
    await lab.clock.advance(5000)
    await lab.set('dosing_automation', '$state', 'ready')
    await lab.clock.advance(20_000)
    expect(moved('add_media')).toBeCloseTo(1, 6)
    expect(moved('remove_waste')).toBeCloseTo(1, 6)
    expect(volume()).toBeCloseTo(15, 6)
    expect(names().slice(3)).toEqual(['DosingStarted', 'DosingStopped'])
    expect(events()[3]?.data).toMatchObject({ media_ml: expect.closeTo(0.6, 6) as number, waste_ml: 1 })
  })

  test('that is longer than the dose may take gives it up', async () => {
    await start()
    await run('chemostat', { duration: 60, exchange_volume_ml: 1 })
    await lab.clock.advance(2400)
    await lab.set('dosing_automation', '$state', 'sleeping')
    await lab.clock.advance(300_000)
    await lab.set('dosing_automation', '$state', 'ready')
    await lab.clock.advance(60_000)
    expect(moved('add_media')).toBeCloseTo(0.4, 6)
    expect(logged('warning')).toContain('given up')
  })

  test('keeps the period: what falls into it is skipped, the next comes when it would have', async () => {
    await start()
    await run('chemostat', { duration: 1, exchange_volume_ml: 0.5 })
    await lab.clock.advance(30_000)
    await lab.set('dosing_automation', '$state', 'sleeping')
    await lab.clock.advance(60_000)
    await lab.set('dosing_automation', '$state', 'ready')
    await lab.clock.advance(25_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    await lab.clock.advance(20_000)
    expect(moved('add_media')).toBeCloseTo(1, 6)
  })
})

describe('when something fails', () => {
  test('a stop in mid-dose leaves the pumps off and what moved in the log', async () => {
    await start()
    await run('chemostat', { exchange_volume_ml: 1 })
    await lab.clock.advance(2400)
    await lab.set('dosing_automation', '$state', 'disconnected')
    expect(duty('media')).toBe(0)
    await lab.clock.advance(30_000)
    expect(moved('add_media')).toBeCloseTo(0.4, 6)
    expect(moved('remove_waste')).toBe(0)
    expect(state()).toBe('disconnected')
  })

  test('a broker that is gone stops the dose; when it is back the rest follows, and the gap is told', async () => {
    await start()
    await run('chemostat', { exchange_volume_ml: 1 })
    await lab.clock.advance(2400)
    lab.broker.setConnected(false)
    await lab.service.suspend('the broker is gone')
    expect(duty('media')).toBe(0)
    await lab.clock.advance(3000)
    lab.broker.setConnected(true)
    await lab.service.resume()
    await lab.clock.advance(20_000)
    expect(moved('add_media')).toBeCloseTo(1, 6)
    expect(moved('remove_waste')).toBeCloseTo(1, 6)
    expect(logged('warning')).toContain('Resumed after a gap')
  })

  test('an output that fails in mid-dose ends the dose, not the automation', async () => {
    await start()
    await run('chemostat', { duration: 1, exchange_volume_ml: 0.5 })
    await lab.clock.advance(3000)
    lab.bioreactor.broken = true
    await lab.clock.advance(20_000)
    expect(moved('add_media')).toBeCloseTo(0.5, 6)
    expect(names()).toEqual(['DosingStarted', 'DosingStopped', 'ErrorOccurred'])
    expect(events()[1]?.data).toMatchObject({ media_ml: expect.closeTo(0.5, 6) as number, waste_ml: 0 })
    lab.bioreactor.broken = false
    await lab.clock.advance(60_000)
    expect(moved('remove_waste')).toBeCloseTo(1, 6)
    expect(volume()).toBeCloseTo(15, 6)
  })

  test('a pump that somebody else uses is an error of this dose alone', async () => {
    await start()
    await lab.run('remove_waste', { duration: 60 })
    await run('chemostat', { duration: 1, exchange_volume_ml: 0.5 })
    await lab.clock.advance(30_000)
    expect(names().at(-1)).toBe('ErrorOccurred')
    expect(events().at(-1)?.message).toContain('in use')
    await lab.clock.advance(60_000)
    expect(names().at(-1)).toBe('DilutionEvent')
  })

  test('a vial that has no room is not filled: the automation sleeps', async () => {
    await start()
    await run('chemostat', { exchange_volume_ml: 1, current_volume_ml: 17.3, efflux_tube_volume_ml: 17.3 })
    await lab.clock.advance(10_000)
    expect(doses()).toEqual([])
    expect(state()).toBe('sleeping')
    expect(logged('error')).toContain('no room')
  })

  test('a vial that somebody else fills puts it to sleep, with a warning before', async () => {
    await start()
    await run('chemostat', { duration: 60, exchange_volume_ml: 0.5, skip_first_run: true })
    await lab.run('add_media', { ml: 2.5 })
    await lab.clock.advance(3000)
    expect(logged('warning')).toContain('it may hold less than 18 mL')
    expect(state()).toBe('ready')
    await lab.run('add_media', { continuously: true })
    await lab.clock.advance(3000)
    expect(state()).toBe('sleeping')
    expect(logged('warning')).toContain('Paused: the vial holds 18.000 mL')
  })

  test('killed and resumed, it goes on with the vial as it is, not as its start said, and completes no dose twice', async () => {
    await start()
    const vial = { current_volume_ml: 14, 'efflux-tube-volume-ml': 14 }
    await run('chemostat', { duration: 60, exchange_volume_ml: 0.5, ...vial })
    await lab.clock.advance(60_000)
    await lab.run('add_media', { ml: 2 })
    await lab.clock.advance(200)
    expect(volume()).toBeCloseTo(15, 6)
    const { clock, service, book, close } = lab
    // As the broker held it at that moment.
    const broker = new MemoryBroker()
    for (const [topic, payload] of lab.broker.retained) broker.retained.set(topic, payload)
    await service.stop()
    await book.stop()
    close()
    await clock.advance(2000)
    const calibrations = { active: async (device: string) => pumpCalibration(device.replace('_pump', ''), 1) }
    lab = await startBioreactorLab({ broker, clock, calibrations, resumeJobs: ['dosing_automation'] })
    expect(doses()).toEqual([
      expect.objectContaining({ event: 'add_media', volume_change: expect.closeTo(1, 6) as number }),
    ])
    await until(() => state() === 'ready', 'the automation to be ready again')
    expect(volume()).toBeCloseTo(16, 6)
    expect(lab.book.liquid('exp').efflux_tube_volume_ml).toBe(14)
    expect(duty('media')).toBe(0)
    await lab.clock.advance(60_000)
    expect(moved('add_media')).toBeCloseTo(1.5, 6)
    expect(moved('remove_waste')).toBeCloseTo(1.5, 6)
  })
})

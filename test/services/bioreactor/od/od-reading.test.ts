// Longer than 300 lines: one job, everything that it does.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ODReadings, RawODReading } from '../../../../events/bioreactor/readings.js'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeAdc, FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { give } from '../../../support/give.js'
import { odCalibration } from '../../../support/job-calibrations.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'

/** Light in the vial: what the photodiodes see follows the IR LED, over a constant ambient light. */
class Optics extends FakeBioreactor {
  readonly ambientV = 0.004
  od = 0.1
  referenceGain = 1
  signalOffsetV = 0
  failReads = 0

  constructor() {
    super()
    const light = (): number => this.leds.state.A / 80
    this.adcs.set('1', new FakeAdc('ads1114', () => this.ambientV + 0.2 * light() * this.referenceGain))
    this.adcs.set('2', new FakeAdc('ads1114', () => this.#signal(light())))
  }

  #signal(light: number): number {
    if (this.failReads-- > 0) throw new Error('no acknowledge')
    return this.ambientV + (this.od + this.signalOffsetV) * light
  }
}

let bioreactor: Optics
let lab: BioreactorLab
beforeEach(async () => {
  bioreactor = new Optics()
  lab = await startBioreactorLab({ bioreactor, random: () => 0.99 })
})
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

const readings = (path: string): RawODReading[] =>
  lab
    .published(`od_reading/${path}`)
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as RawODReading)
const ods = (): ODReadings[] => readings('ods') as unknown as ODReadings[]
const secondsBetween = (readings: readonly { timestamp: string }[]): number[] =>
  readings.slice(1).map(({ timestamp }, i) => (Date.parse(timestamp) - Date.parse(readings[i]?.timestamp ?? '')) / 1000)

describe('a series of readings', () => {
  test('tells which are missing when the computer was too busy to take them, before the next one', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(21_000)
    const warnings = (): string[] =>
      lab.published('logs/app/warning').flatMap((text) => /\d readings? .* missing/.exec(text) ?? [])
    expect(warnings()).toEqual([])
    const adc = bioreactor.adcs.get('1')
    if (adc === undefined) throw new Error('no converter')
    const readRaw = adc.readRaw.bind(adc)
    adc.readRaw = async () => {
      adc.readRaw = readRaw
      await lab.clock.sleepUntil(lab.clock.monotonicMs() + 13_000)
      return readRaw()
    }
    await lab.clock.advance(40_000)
    expect(Math.max(...secondsBetween(readings('od2')))).toBeGreaterThan(14)
    expect(warnings()).toEqual(['2 readings are missing'])
    const told = lab.broker.published.findIndex(({ payload }) => String(payload).includes('2 readings are missing'))
    const since = lab.broker.published.slice(told).filter(({ topic }) => topic.endsWith('od_reading/ods'))
    expect(since.length).toBeGreaterThanOrEqual(3)
  })

  test('comes once per interval with all fields, relative to the reference and free of ambient light', async () => {
    expect(await lab.run('od_reading')).toMatchObject({ status: 'succeeded', result: { ok: true } })
    await lab.clock.advance(21_000)

    const od2 = readings('od2')
    expect(od2.length).toBeGreaterThanOrEqual(4)
    for (const gap of secondsBetween(od2)) expect(gap).toBeCloseTo(5, 1)
    expect(od2[0]).toEqual({
      calibrated: 0,
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
      angle: '90',
      od: expect.any(Number) as unknown,
      channel: '2',
      ir_led_intensity: 80,
    })
    // The first reference of the experiment counts as 1, so the raw value is the signal in volts.
    expect(od2[0]?.od).toBeCloseTo(0.1, 3)
    expect(ods()[0]?.ods['2']).toEqual(od2[0])
    expect(lab.published('od_reading/raw_od2')).toEqual([])
    expect(Number(lab.published('od_reading/first_od_obs_time')[0]) * 1000).toBeGreaterThan(
      Date.parse('2026-01-02T03:04:05Z'),
    )
  })

  test('follows the culture', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    bioreactor.od = 0.2
    await lab.clock.advance(60_000)
    const values = readings('od2').map(({ od }) => od)
    expect(values.at(-1)).toBeGreaterThan(0.19)
    expect([...values].sort((a, b) => a - b)).toEqual(values)
  })

  test('does not follow the light of an ageing LED', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    const before = readings('od2').at(-1)?.od ?? 0
    bioreactor.referenceGain = 0.97
    bioreactor.od *= 0.97
    await lab.clock.advance(60_000)
    expect(readings('od2').at(-1)?.od).toBeCloseTo(before, 3)
  })

  test('lights the IR LED only while reading, and the others not at all', async () => {
    await lab.run('led_intensity', { B: 30, no_log: true })
    bioreactor.writes.length = 0
    await lab.run('od_reading')
    await lab.clock.advance(4000)
    expect(bioreactor.leds.state).toEqual({ A: 0, B: 30, C: 0, D: 0 })
    let lit = 0
    for (let ms = 0; ms < 5000; ms += 100) {
      await lab.clock.advance(100)
      if (bioreactor.leds.state.A > 0) {
        lit += 100
        expect(bioreactor.leds.state.B).toBe(0)
      }
    }
    expect(lit).toBeGreaterThan(300)
    expect(lit).toBeLessThan(1200)
    const states = lab.published('leds/intensity').map((text) => JSON.parse(text) as Record<string, number>)
    expect(states).toContainEqual({ A: 80, B: 0, C: 0, D: 0 })
    expect(states.at(-1)).toEqual({ A: 0, B: 30, C: 0, D: 0 })
    expect(lab.published('led_change_events')).toEqual([])
  })

  test('loses one reading to a fault and goes on with the next', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    const before = readings('od2').length
    bioreactor.failReads = 1
    await lab.clock.advance(5000)
    expect(readings('od2')).toHaveLength(before)
    expect(bioreactor.leds.state.A).toBe(0)
    expect(lab.published('logs/app/error').at(-1)).toContain('Reading lost')
    await lab.clock.advance(5000)
    expect(readings('od2')).toHaveLength(before + 1)
  })

  test('loses none to a broker that is away: all of them follow, in order', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    const before = readings('od2').length
    lab.broker.setConnected(false)
    await lab.clock.advance(30_000)
    expect(readings('od2')).toHaveLength(before)
    expect(bioreactor.leds.state.A).toBe(0)
    lab.broker.setConnected(true)
    await lab.clock.advance(6000)
    const after = new Map(readings('od2').map((reading) => [reading.timestamp, reading]))
    for (const gap of secondsBetween([...after.values()])) expect(gap).toBeCloseTo(5, 1)
    expect(after.size).toBeGreaterThanOrEqual(before + 7)
  })

  test('announces the relative light in one reading of five', async () => {
    lab.close()
    const draws = [0.5, 0.1, 0.7, 0.19, 0.2]
    lab = await startBioreactorLab({ bioreactor, random: () => draws.shift() ?? 1 })
    await lab.run('od_reading')
    await lab.clock.advance(30_000)
    const relative = lab.published('od_reading/relative_intensity_of_ir_led')
    expect(relative).toHaveLength(2)
    expect(JSON.parse(relative[0] ?? '')).toMatchObject({
      relative_intensity_of_ir_led: expect.closeTo(1, 2) as unknown,
    })
  })
})

describe('settings', () => {
  test('a new interval takes effect at once and moves the phase with it', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(7000)
    await lab.set('od_reading', 'interval', '10')
    await lab.clock.advance(32_000)
    const gaps = secondsBetween(readings('od2')).slice(-3)
    for (const gap of gaps) expect(gap).toBeCloseTo(10, 1)
    expect(lab.published('od_reading/interval')).toEqual(['5', '10'])
    expect(lab.published('od_reading/first_od_obs_time')).toHaveLength(2)
  })

  test.each([
    ['interval', '0'],
    ['interval', 'nan'],
    ['ir_led_intensity', '101'],
    ['ir_led_intensity', '-1'],
    ['ods', '{}'],
  ])('%s = %s is refused', async (setting, text) => {
    await lab.run('od_reading')
    await lab.clock.advance(2000)
    await lab.set('od_reading', setting, text)
    const outcome = JSON.parse(lab.published(`od_reading/${setting}/set/outcome`)[0] ?? '{}') as Record<string, unknown>
    expect(outcome).toMatchObject({ accepted: false })
  })

  test('another IR intensity is normalised to its own first light', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    await lab.set('od_reading', 'ir_led_intensity', '40')
    await lab.clock.advance(60_000)
    // Half the light: the signal halves, and so does what counts as 1.
    expect(readings('od2').at(-1)).toMatchObject({ ir_led_intensity: 40, od: expect.closeTo(0.05, 2) as unknown })
    expect(lab.published('dosing_automation/$state/set')).toEqual([])
  })
})

describe('pausing and ending', () => {
  test('sleeping ends the reading under way with the light off; waking keeps the phase', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(7000)
    while (bioreactor.leds.state.A === 0) await lab.clock.advance(50)
    await lab.set('od_reading', '$state', 'sleeping')
    expect(bioreactor.leds.state.A).toBe(0)
    const count = readings('od2').length
    await lab.clock.advance(17_000)
    expect(readings('od2')).toHaveLength(count)
    await lab.set('od_reading', '$state', 'ready')
    await lab.clock.advance(11_000)
    const [before, after] = readings('od2').slice(count - 1, count + 1)
    const gap = (Date.parse(after?.timestamp ?? '') - Date.parse(before?.timestamp ?? '')) / 1000
    expect(Math.abs(gap / 5 - Math.round(gap / 5))).toBeLessThan(0.02)
  })

  test('a stop in the middle of a reading leaves the light off and clears what was retained', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(7000)
    while (bioreactor.leds.state.A === 0) await lab.clock.advance(50)
    await lab.set('od_reading', '$state', 'disconnected')
    expect(bioreactor.leds.state).toEqual({ A: 0, B: 0, C: 0, D: 0 })
    const retained = [...lab.broker.retained.keys()].filter((topic) => topic.includes('/od_reading/'))
    expect(retained).toEqual(['pioreactor/u1/exp/od_reading/$state'])
    expect(lab.published('od_reading/$state')).toEqual(['init', 'ready', 'disconnected'])
  })

  test('stopped while it measures in the dark it says so, as no failure of its own', async () => {
    const id = await lab.begin('od_reading')
    await lab.clock.advance(200)
    await give(lab.service, stopJobsCommand, { job_name: 'od_reading' }, 'stop')
    await lab.clock.advance(2000)
    expect(lab.task(id)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('od_reading was stopped while it started') as unknown },
    })
    expect(lab.published('logs/app/error')).toEqual([])
  })

  test.each([
    ['a stop', () => lab.set('od_reading', '$state', 'disconnected'), 'disconnected'],
    ['a pause', () => lab.set('od_reading', '$state', 'sleeping'), 'sleeping'],
    ['a broker that is gone', async () => void lab.service.suspend('the broker is gone'), 'sleeping'],
  ])('%s puts out the light of a reading whose converter never answers', async (_, stop, state) => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    const [converter] = bioreactor.adcs.values()
    if (converter === undefined) throw new Error('There is no converter.')
    const { readRaw } = converter
    converter.readRaw = () => new Promise(() => undefined)
    while (bioreactor.leds.state.A === 0) await lab.clock.advance(20)
    await lab.clock.advance(3000)
    expect(bioreactor.leds.state.A).toBe(80)
    await stop()
    await lab.clock.advance(1500)
    expect(bioreactor.leds.state.A).toBe(0)
    expect(lab.published('od_reading/$state').at(-1)).toBe(state)
    converter.readRaw = readRaw
    const ended = lab.service.stop()
    await lab.clock.advance(5000)
    await ended
  })

  test('a stop while preparing leaves the light off', async () => {
    await lab.begin('od_reading')
    while (bioreactor.leds.state.A === 0) await lab.clock.advance(20)
    await lab.service.stop()
    expect(bioreactor.leds.state.A).toBe(0)
    expect(lab.published('od_reading/$state')).toEqual(['init', 'disconnected'])
  })

  test('a snapshot is one reading', async () => {
    await lab.run('od_reading', { snapshot: null })
    await lab.clock.advance(20_000)
    expect(readings('od2')).toHaveLength(1)
    expect(lab.published('od_reading/$state')).toEqual(['init', 'ready', 'disconnected'])
    expect(lab.published('od_reading/interval')).toEqual([])
  })
})

describe('protection', () => {
  test('a photodiode above 3.2 V puts out every LED and ends the job', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    await bioreactor.leds.set('C', 50)
    bioreactor.od = 3.5
    await lab.clock.advance(15_000)
    expect(bioreactor.leds.state).toEqual({ A: 0, B: 0, C: 0, D: 0 })
    expect(lab.published('od_reading/$state').at(-1)).toBe('disconnected')
    expect(lab.published('monitor/flicker_led_with_error_code')).toContain('5')
    const events = lab.published('led_change_events').map((text) => JSON.parse(text) as Record<string, unknown>)
    expect(events).toContainEqual(expect.objectContaining({ channel: 'C', intensity: 0, source_of_event: 'ADCReader' }))
    expect(lab.published('logs/app/error').at(-1)).toContain('3.2 V')
  })

  test('a photodiode above 3.0 V is only reported', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(6000)
    bioreactor.od = 3.1
    await lab.clock.advance(25_000)
    expect(lab.published('monitor/flicker_led_with_error_code')).toContain('5')
    expect(lab.published('od_reading/$state').at(-1)).toBe('ready')
  })

  test('an unsteady reference puts dosing to sleep and does not move the level', async () => {
    await lab.run('od_reading')
    await lab.clock.advance(11_000)
    const before = readings('od2').at(-1)?.od ?? 0
    bioreactor.referenceGain = 2
    await lab.clock.advance(5000)
    expect(lab.published('dosing_automation/$state/set')).toEqual(['sleeping'])
    expect(readings('od2').at(-1)?.od).toBeCloseTo(before, 3)
  })

  test('an unsteady reference doses nothing, though its order to the dosing does not get out', async () => {
    const deliver = lab.broker.deliver.bind(lab.broker)
    lab.broker.deliver = (topic, ...more) => {
      if (!topic.endsWith('dosing_automation/$state/set')) deliver(topic, ...more)
    }
    for (const pump of ['media', 'waste']) lab.calibrations.set(`${pump}_pump`, pumpCalibration(pump, 1))
    await lab.run('od_reading')
    const options = { automation_name: 'turbidostat', biomass_signal: 'od', target_biomass: 1000 }
    expect(await lab.run('dosing_automation', options)).toMatchObject({ status: 'succeeded' })
    await lab.clock.advance(10_000)
    await lab.set('dosing_automation', 'target_biomass', '0.001')
    bioreactor.referenceGain = 2
    await lab.clock.advance(10_000)
    expect(lab.published('dosing_automation/$state').at(-1)).toBe('sleeping')
    expect(bioreactor.writes.filter(({ output, value }) => output === 'pin13' && value > 0)).toEqual([])
    expect(lab.published('dosing_automation/latest_event').join()).not.toContain('DosingStarted')
  })
})

describe('start', () => {
  const failure = async (job: string, overrides: string[][]): Promise<string> => {
    const task = await lab.run(job, {}, { config_overrides: overrides })
    return JSON.stringify(task['error'])
  }

  test.each([
    [[['leds', 'A', '']], 'IR'],
    [[['od_config.photodiode_channel', '2', 'REF']], 'REF'],
    [[['od_config.photodiode_channel', '2', '91']], '91'],
    [[['od_config.photodiode_channel', '2', '']], 'angle'],
    [[['od_config.photodiode_channel', '3', '45']], 'photodiode 3'],
    [[['od_reading.config', 'samples_per_second', '0']], 'samples_per_second'],
  ])('%j is refused by name', async (overrides, named) => {
    expect(await failure('od_reading', overrides)).toContain(named)
    expect(bioreactor.leds.state.A).toBe(0)
  })

  test('without a HAT says so', async () => {
    bioreactor.hatPresent = false
    expect(await failure('od_reading', [])).toContain('HAT')
  })

  test('auto chooses the intensity that suits the light', async () => {
    await lab.run('od_reading', {}, { config_overrides: [['od_reading.config', 'ir_led_intensity', 'auto']] })
    await lab.clock.advance(3000)
    // At 85 % the signal is 0.106 V and the reference 0.2125 V.
    expect(Number(lab.published('od_reading/ir_led_intensity')[0])).toBe(50)
  })
})

describe('corrections', () => {
  const calibrate = (): void => {
    lab.calibrations.set('od90', odCalibration)
  }

  test('a calibrated channel publishes both the calibrated and the raw reading', async () => {
    calibrate()
    await lab.run('od_reading')
    await lab.clock.advance(7000)
    expect(readings('od2')[0]).toMatchObject({
      calibrated: 1,
      od: expect.closeTo(1, 1) as unknown,
      calibration_name: 'c1',
    })
    expect(readings('calibrated_od2')[0]).toEqual(readings('od2')[0])
    expect(readings('raw_od2')[0]).toMatchObject({ calibrated: 0, od: expect.closeTo(0.1, 2) as unknown })
  })

  test('an intensity the calibration does not hold for is refused at the command', async () => {
    calibrate()
    await lab.run('od_reading')
    await lab.clock.advance(3000)
    await lab.set('od_reading', 'ir_led_intensity', '70')
    expect(lab.published('od_reading/ir_led_intensity/set/outcome')[0]).toContain('"accepted":false')
    expect(lab.published('od_reading/ir_led_intensity')).toEqual(['80'])
  })

  test('a wrong calibration never publishes as calibrated', async () => {
    calibrate()
    await lab.run('od_reading', { ir_led_intensity: 70 })
    await lab.clock.advance(7000)
    expect(readings('od2')).toEqual([])
    expect(readings('raw_od2').length).toBeGreaterThan(0)
    expect(lab.published('logs/app/error').length).toBeGreaterThan(0)
  })

  test('a blank is subtracted, and may leave less than nothing', async () => {
    await lab.store.write('od_blank', 'exp', { 2: 0.15 })
    await lab.run('od_reading')
    await lab.clock.advance(7000)
    expect(readings('od2')[0]?.od).toBeCloseTo(-0.05, 3)
  })

  test('a blank and a calibration exclude each other', async () => {
    calibrate()
    await lab.store.write('od_blank', 'exp', { 2: 0.15 })
    const task = await lab.run('od_reading')
    expect(task).toMatchObject({ status: 'failed' })
  })
})

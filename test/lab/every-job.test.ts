import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { outputsOn } from '../support/bench-outputs.js'
import { watch } from '../support/event-watch.js'
import { pumpCalibration } from '../support/pump-calibration.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'
import { calibrationOfVial, estimatorOfVial } from '../support/vial-lab.js'
import { actions, type JobContract, jobs, monitor, refused } from './job-contract.js'
import { DOORS, EXPERIMENT, Walk, WalkedUnit } from './job-walk.js'

/** All 30 entries of the capabilities on one unit, as a client meets them: over real HTTP and real MQTT, with what a broker retains. What each job
 * does is proven where it lives; here it is shown to be wired, as the tables of the specification say. */

const home = createLabHome()
let lab: Lab
let unit: WalkedUnit

beforeAll(async () => {
  const dot = join(home.home, '.pioreactor')
  mkdirSync(dot)
  writeFileSync(join(dot, 'unit_config.ini'), '[od_config.photodiode_channel]\n3 = 45\n4 = 135\n')
  const vessel = { MODEL_NAME: 'pioreactor_20ml_XR', MODEL_VERSION: '1.5' }
  lab = await home.start({ ...vessel, SIMULATION_SPEED: '20', SIMULATED_POTENTIOSTATS: '0' })
  const client = await lab.connect()
  unit = new WalkedUnit(lab, client, await watch(client, '#'))
  await calibrate()
})
afterAll(() => home.remove())

/** Pumps and a photodiode of this unit are calibrated, and its estimator is active. */
async function calibrate(): Promise<void> {
  const calibrations = {
    media_pump: pumpCalibration('media', 0.09),
    alt_media_pump: pumpCalibration('alt_media', 0.09),
    waste_pump: pumpCalibration('waste', 0.09),
    od90: calibrationOfVial(),
  }
  const save = async (command: string, device: string, data: unknown): Promise<void> => {
    const { outcome } = await unit.order(command, { device, data, set_as_active: true })
    expect(outcome, device).toMatchObject({ accepted: true })
  }
  for (const [device, data] of Object.entries(calibrations)) await save('save_calibration', device, data)
  await save('save_estimator', 'od_fused', estimatorOfVial())
}

const nameOf = (key: string): string => key.split('/')[0] ?? key

/** Started, read, set, paused, resumed and stopped by the one door; started and stopped by the other. */
function walkJob(key: string, contract: JobContract): void {
  const job = nameOf(key)
  describe(key, () => {
    let walk: Walk
    beforeAll(() => {
      walk = new Walk(unit, job, contract)
    })

    it('starts by REST, and publishes what is listed and nothing else', { timeout: 60_000 }, async () => {
      expect(await unit.start('REST', job, contract)).toMatchObject({ status: 'succeeded' })
      await walk.state('init', 'ready')
      if (job === 'stirring') await walk.set('enable_dodging_od', 'True')
      await walk.publishesAsListed()
    })

    it.each(Object.entries(contract.settable ?? {}))('follows %s, and refuses what it cannot be', (setting, settable) =>
      walk.obeys(setting, settable),
    )

    it('cannot be told what it measures, nor what it does not have', async () => {
      const shown = Object.keys(contract.settings ?? {}).filter((setting) => contract.settable?.[setting] === undefined)
      const orders = [
        ...shown.map((setting) => [setting, '1', 'setting.read_only'] as const),
        ['colour', '1', 'setting.unknown'] as const,
        ...['init', 'lost', 'asleep', ''].map((state) => ['$state', state, 'input.invalid'] as const),
      ]
      const refuses = async ([setting, value, code]: (typeof orders)[number]): Promise<void> =>
        expect(await walk.set(setting, value)).toMatchObject({ accepted: false, error: { code } })
      await Promise.all(orders.map(refuses))
    })

    it('pauses, goes on, and stops by REST', async () => {
      expect(await walk.set('$state', 'sleeping')).toMatchObject({ accepted: true })
      await walk.state('ready', 'sleeping')
      await unit.client.publishAsync(`pioreactor/$broadcast/${EXPERIMENT}/${job}/$state/set`, 'ready', { qos: 1 })
      await walk.state('sleeping', 'ready')
      await unit.stop(job)
      await walk.ended()
      for (const [topic, form] of Object.entries(contract.history ?? {})) await walk.comes(topic, form)
      walk.nothingElse()
    })

    it('starts over MQTT, and stops over MQTT', async () => {
      const again = new Walk(unit, job, contract)
      expect(await unit.start('MQTT', job, contract)).toMatchObject({ status: 'succeeded' })
      await again.state('init', 'ready')
      expect(await again.set('$state', 'disconnected')).toMatchObject({ accepted: true })
      await again.ended()
      again.nothingElse()
    })
  })
}

describe('what the unit runs for itself', () => {
  const of = (job: string, contract: JobContract) => new Walk(unit, job, contract, '$experiment')

  test('monitor: starts by both doors, publishes, is set, pauses and stops', async () => {
    await unit.stop('monitor')
    for (const door of DOORS) {
      const each = of('monitor', monitor)
      expect(await unit.start(door, 'monitor', monitor)).toMatchObject({ status: 'succeeded' })
      await each.publishesAsListed()
      for (const [setting, settable] of Object.entries(monitor.settable ?? {})) await each.obeys(setting, settable)
      await each.set('$state', 'sleeping')
      await each.set('$state', 'ready')
      expect(await each.set('$state', 'disconnected')).toMatchObject({ accepted: true })
      await each.ended()
      expect(each.of('$state')).toEqual(['init', 'ready', 'sleeping', 'ready', 'disconnected'])
      each.nothingElse()
    }
    expect(await unit.start('REST', 'monitor', monitor)).toMatchObject({ status: 'succeeded' })
  })

  test.each(DOORS)('mqtt_to_db_streaming runs, is not started twice by %s, and not stopped', async (door) => {
    const walk = of('mqtt_to_db_streaming', {})
    expect(await unit.start(door, 'mqtt_to_db_streaming', {})).toMatchObject({ status: 'failed' })
    for (const state of ['sleeping', 'disconnected']) {
      expect(await walk.set('$state', state)).toMatchObject({ accepted: false })
    }
    expect((await unit.retained('$experiment')).get('mqtt_to_db_streaming/$state')).toBe('ready')
  })
})

describe('jobs', () => {
  const { od_reading, ...others } = jobs
  walkJob('od_reading', od_reading ?? {})

  describe('beside optical readings', () => {
    beforeAll(async () => {
      expect(await unit.start('MQTT', 'od_reading', { options: { interval: '8' } })).toMatchObject({
        status: 'succeeded',
      })
    })
    afterAll(() => unit.stop('od_reading'))
    const setInterval = async (seconds: string): Promise<void> => {
      expect(await new Walk(unit, 'od_reading', {}).set('interval', seconds)).toMatchObject({ accepted: true })
    }

    for (const [key, contract] of Object.entries(others)) {
      if (key.startsWith('dosing_automation/pid_morbidostat')) {
        describe('while the growth rate is told', () => {
          beforeAll(async () => {
            await unit.start('MQTT', 'growth_rate_calculating', {})
            await new Walk(unit, 'growth_rate_calculating', {}).comes('growth_rate_calculating/growth_rate', () => true)
          })
          afterAll(() => unit.stop('growth_rate_calculating'))
          walkJob(key, contract)
        })
      } else if (key === 'stirring') {
        // At this speed a reading of three photodiodes takes seconds, and the bar is to turn and be measured between two of them.
        describe('that leave time to act between them', () => {
          beforeAll(() => setInterval('30'))
          afterAll(() => setInterval('5'))
          walkJob(key, contract)
        })
      } else walkJob(key, contract)
    }
  })

  test('a reading at another intensity than its calibration’s is refused', async () => {
    expect(await unit.start('REST', 'od_reading', {})).toMatchObject({ status: 'succeeded' })
    const outcome = await new Walk(unit, 'od_reading', {}).set('ir_led_intensity', '70')
    expect(outcome).toMatchObject({ accepted: false })
    expect(outcome.error?.message).toContain('80 %')
    await unit.stop('od_reading')
    await until(() => outputsOn(lab.home).length === 0, 'outputs off')
  })
})

describe('actions', () => {
  for (const [job, contract] of Object.entries(actions)) {
    test.each(DOORS)(`${job} by %s does its work and ends`, async (door) => {
      const walk = new Walk(unit, job, contract)
      expect(await unit.start(door, job, contract)).toMatchObject({ status: 'succeeded' })
      await walk.state('init', 'ready', 'disconnected')
      for (const [topic, form] of Object.entries(contract.streams ?? {})) await walk.comes(topic, form)
      const now = await unit.retained(EXPERIMENT)
      for (const [topic, form] of Object.entries(contract.retained ?? {})) {
        expect(form(now.get(topic) ?? ''), `${topic} ${now.get(topic)}`).toBe(true)
      }
      for (const topic of Object.keys(contract.streams ?? {})) expect(now.has(topic), topic).toBe(false)
      walk.nothingElse()
    })
  }

  test.each(['add_media', 'add_alt_media', 'remove_waste'])(
    '%s runs until it is stopped, and takes no other order',
    async (job) => {
      for (const door of DOORS) {
        const walk = new Walk(unit, job, {})
        expect(await unit.start(door, job, { options: { continuously: 'True' } })).toMatchObject({
          status: 'succeeded',
        })
        await walk.comes('dosing_events', () => true)
        expect(outputsOn(lab.home)).not.toEqual([])
        expect(await walk.set('$state', 'sleeping')).toMatchObject({ accepted: false })
        if (door === 'REST') await unit.stop(job)
        else expect(await walk.set('$state', 'disconnected')).toMatchObject({ accepted: true })
        await walk.state('init', 'ready', 'disconnected')
        await until(() => outputsOn(lab.home).length === 0, 'the pump to stand')
      }
    },
  )

  test.each(DOORS)('led_intensity by %s: shines until it is stopped', async (door) => {
    const walk = new Walk(unit, 'led_intensity', {})
    expect(await unit.start(door, 'led_intensity', { options: { B: '12', D: '3' } })).toMatchObject({
      status: 'succeeded',
    })
    const shown = (text: string): boolean => text === '{"A":0,"B":12,"C":0,"D":3}'
    await walk.comes('leds/intensity', shown)
    await walk.comes('led_change_events', (text) => text.includes('"channel":"B","intensity":12'))
    const now = await unit.retained(EXPERIMENT)
    expect(shown(now.get('leds/intensity') ?? '')).toBe(true)
    expect(now.has('led_change_events')).toBe(false)
    if (door === 'MQTT') await unit.stop('led_intensity')
    else expect(await walk.set('$state', 'disconnected')).toMatchObject({ accepted: true })
    await walk.state('disconnected')
    await walk.comes('leds/intensity', (text) => text === '{"A":0,"B":0,"C":0,"D":0}')
  })

  test.each(DOORS)('self_test by %s: each test it is asked for is a topic', async (door) => {
    const walk = new Walk(unit, 'self_test', {}, '$experiment')
    expect(await unit.start(door, 'self_test', { options: { k: 'HAT' } })).toMatchObject({ status: 'succeeded' })
    await walk.state('init', 'ready', 'disconnected')
    const now = await unit.retained('$experiment')
    expect(now.get('self_test/test_pioreactor_HAT_present')).toBe('1')
    expect(now.get('self_test/all_tests_passed')).toBeDefined()
  })

  test('what they are asked wrongly is refused, by name, value and limit', async () => {
    const bad = [
      ['add_media', { ml: 'some' }, ['ml', 'some', 'number in mL']],
      ['add_media', { ml: '-1' }, ['ml', '-1 mL', 'at least 0 mL']],
      ['add_media', { ml: '30' }, ['ml', '30', '18 mL']],
      ['add_media', { ml: 'nan' }, ['ml', 'nan', 'number']],
      ['add_media', {}, ['ml', 'duration', 'continuously']],
      ['circulate_media', {}, ['duration', 'missing']],
      ['led_intensity', { A: '101' }, ['a', '101 %', 'at most 100 %']],
      ['od_blank', { n_samples: '2' }, ['n_samples', '2', 'at least 5']],
      ['pumps', {}, ['beer'], ['--beer', '1']],
    ] as const
    for (const [job, options, parts, args = []] of bad) {
      const { status, error } = await unit.start('MQTT', job, { options, args })
      expect(status, job).toBe('failed')
      for (const part of parts) expect(JSON.stringify(error), job).toContain(part)
    }
    expect(outputsOn(lab.home)).toEqual([])
  })
})

describe('what is not built says so', () => {
  for (const [job, { reason, ...contract }] of Object.entries(refused)) {
    test.each(DOORS)(`${job} by %s`, async (door) => {
      const { status, error } = await unit.start(door, job, contract)
      expect(status).toBe('failed')
      expect(JSON.stringify(error)).toContain(reason)
    })
  }
})

test('the walk has come by every entry of the capabilities', async () => {
  const entries = await lab.get<{ job_name: string; automation_name?: string }[]>('/unit_api/capabilities')
  const keys = entries.map(({ job_name, automation_name }) => [job_name, automation_name].filter(Boolean).join('/'))
  const walked = [jobs, actions, refused].flatMap((group) => Object.keys(group))
  const elsewhere = ['monitor', 'mqtt_to_db_streaming', 'led_intensity', 'self_test']
  expect(keys.sort()).toEqual([...walked, ...elsewhere].sort())
  expect(keys).toHaveLength(30)
})

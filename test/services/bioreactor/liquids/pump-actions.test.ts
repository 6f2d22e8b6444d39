// Longer than 300 lines: everything that the three pumps do, alone and together.

import { afterEach, describe, expect, test } from 'vitest'
import type { DosingEvent, LiquidAccount } from '../../../../events/bioreactor/liquids.js'
import type { PwmBoard } from '../../../../services/bioreactor/board/pwm-board.js'
import { type BioreactorLab, type LabOptions, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'

const PINS = { media: 13, alt_media: 16, waste: 12 }

let lab: BioreactorLab
let pwm: PwmBoard
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  await lab.book.stop()
  lab.close()
})

/** 1 mL/s on every pump. */
async function start(options: LabOptions<FakeBioreactor> = {}, calibrated = Object.keys(PINS)) {
  lab = await startBioreactorLab({
    ...options,
    jobs: (board) => {
      pwm = board.pwm
      return []
    },
  })
  for (const name of calibrated) lab.calibrations.set(`${name}_pump`, pumpCalibration(name, 1))
}

const duty = (pump: keyof typeof PINS): number => lab.bioreactor.duty.get(PINS[pump]) ?? 0
const doses = (): DosingEvent[] => lab.published('dosing_events').map((text) => JSON.parse(text) as DosingEvent)
const moved = (event: string): number =>
  doses().reduce((sum, dose) => (dose.event === event ? sum + dose.volume_change : sum), 0)
const variable = (name: string): number => Number(lab.published(`bioreactor/${name}`).at(-1))
const account = (): LiquidAccount =>
  JSON.parse(lab.broker.retained.get('system/u1/liquids/exp')?.toString() ?? '') as LiquidAccount
const ofState = (job: string): string[] => lab.published(`${job}/$state`)

describe('a volume', () => {
  test('is moved at the duty cycle of the calibration, told as it moves, and entered', async () => {
    await start()
    const task = await lab.run('add_media', { ml: 1.2, source_of_event: 'me' })
    expect(task).toMatchObject({ status: 'succeeded' })
    expect(duty('media')).toBe(60)
    await lab.clock.advance(500)
    expect(duty('media')).toBe(0)
    expect(doses()).toEqual([
      { volume_change: 0.5, event: 'add_media', source_of_event: 'me', timestamp: '2026-01-02T03:04:05.500Z' },
      { volume_change: 0.5, event: 'add_media', source_of_event: 'me', timestamp: '2026-01-02T03:04:06.000Z' },
      {
        volume_change: expect.closeTo(0.2, 9) as number,
        event: 'add_media',
        source_of_event: 'me',
        timestamp: '2026-01-02T03:04:06.200Z',
      },
    ])
    // There are clients that read the text.
    expect(lab.published('dosing_events')[0]).toMatch(
      /^{"volume_change":[^,]+,"event":"add_media","source_of_event":"me","timestamp":"[^"]+"}$/,
    )
    expect(variable('current_volume_ml')).toBeCloseTo(16.2, 9)
    expect(variable('cumulative_media_added_ml')).toBeCloseTo(1.2, 9)
    expect(variable('efflux_tube_volume_ml')).toBe(15)
    expect(account()).toMatchObject({ pumping: [], capacity_ml: 20 })
    expect(ofState('add_media')).toEqual(['init', 'ready', 'disconnected'])
    const ended = lab.broker.published.findIndex(({ payload }) => payload === 'disconnected')
    const last = lab.broker.published.findLastIndex(({ topic }) => topic.endsWith('dosing_events'))
    expect(last).toBeLessThan(ended)
  })

  test('of nothing moves nothing and tells nothing', async () => {
    await start()
    expect(await lab.run('add_media', { ml: 0 })).toMatchObject({ status: 'succeeded' })
    expect(doses()).toEqual([])
    expect(lab.bioreactor.writes).toEqual([])
  })

  test('of the alternative medium changes its share', async () => {
    await start()
    await lab.run('add_alt_media', { ml: 1 })
    await lab.clock.advance(1000)
    expect(variable('alt_media_fraction')).toBeCloseTo(0.0625, 9)
    expect(variable('cumulative_alt_media_added_ml')).toBeCloseTo(1, 9)
  })

  test('is no more than what moved when the pump is stopped', async () => {
    await start()
    await lab.run('add_media', { ml: 2.5 })
    await lab.clock.advance(250)
    await lab.set('add_media', '$state', 'disconnected')
    expect(duty('media')).toBe(0)
    expect(moved('add_media')).toBeCloseTo(1.25, 9)
    expect(variable('current_volume_ml')).toBeCloseTo(16.25, 9)
    expect(account().pumping).toEqual([])
    await lab.clock.advance(5000)
    expect(moved('add_media')).toBeCloseTo(1.25, 9)
  })

  test('is counted from when the pump was driven to when it stood, however long its output takes to follow', async () => {
    await start()
    const writtenMs: number[] = []
    lab.bioreactor.pwmFile = async () => {
      await lab.clock.sleepUntil(lab.clock.monotonicMs() + 400)
      writtenMs.push(lab.clock.monotonicMs())
    }
    await lab.run('add_media', { ml: 1.2 })
    await lab.clock.advance(5000)
    expect(duty('media')).toBe(0)
    const [on = Number.NaN, off = Number.NaN] = writtenMs
    // Driven for 1.2 s, and for the 0.4 s that the order to stop took.
    expect(off - on).toBe(1600)
    expect(moved('add_media')).toBeCloseTo(1.6, 9)
    expect(variable('current_volume_ml')).toBeCloseTo(16.6, 9)
    expect(account().pumping).toEqual([])
  })

  test('of waste is the liquid above the tube; the rest is air', async () => {
    await start()
    await lab.run('add_media', { ml: 0.7 })
    await lab.clock.advance(1000)
    await lab.run('remove_waste', { ml: 2 })
    await lab.clock.advance(2000)
    expect(moved('remove_waste')).toBeCloseTo(0.7, 9)
    expect(variable('current_volume_ml')).toBe(15)
    expect(variable('cumulative_waste_removed_ml')).toBeCloseTo(0.7, 9)
    expect(lab.published('logs/app/info').join()).toContain('was air')
  })
})

describe('an order that cannot be', () => {
  test.each([
    [{ ml: -1 }, /ml.*-1.*0/],
    [{ duration: -1 }, /duration.*-1.*0/],
    [{}, /exactly one/],
    [{ ml: 1, duration: 1 }, /exactly one/],
    [{ ml: 1, continuously: true }, /exactly one/],
    [{ duration: 3 }, /duration adds 3\.000 mL/],
    [{ duration: 1e9 }, /duration adds/],
  ])('%j is refused before anything moves', async (options, reason) => {
    await start()
    const task = await lab.run('add_media', options)
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(reason) as string } })
    expect(lab.bioreactor.writes.filter(({ value }) => value > 0)).toEqual([])
    expect(doses()).toEqual([])
  })

  test('of which nobody says the experiment is looked at by the pump', async () => {
    await start()
    const task = await lab.run('add_media', { ml: 3 }, { env: { EXPERIMENT: '' } })
    expect(task).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(/ml adds 3\.000 mL/) as string },
    })
    expect(lab.bioreactor.writes.filter(({ value }) => value > 0)).toEqual([])
  })

  test.each([
    ['add_media', { ml: 1 }],
    ['add_media', { continuously: true }],
    ['remove_waste', { ml: 1 }],
  ])('%s %j of a pump that is not calibrated', async (job, options) => {
    await start({}, [])
    const task = await lab.run(job, options)
    expect(task).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('no active calibration') as string },
    })
    expect(doses()).toEqual([])
  })

  test('a pump that no channel is labelled for', async () => {
    await start()
    const config_overrides = [['PWM', '2', 'bubbler']]
    const task = await lab.run('add_media', { ml: 1 }, { config_overrides })
    expect(task).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('No PWM channel is labelled media') as string },
    })
  })

  test('a vial that the configuration overfills', async () => {
    await start()
    const task = await lab.run(
      'add_media',
      { ml: 1 },
      { config_overrides: [['bioreactor', 'initial_volume_ml', '21']] },
    )
    expect(task).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(/initial_volume_ml.*21.*20 mL/) as string },
    })
  })
})

describe('without a calibration', () => {
  test('a duration is possible, at what such a pump does as a rule', async () => {
    await start({}, [])
    await lab.run('add_media', { duration: 2 })
    expect(duty('media')).toBe(100)
    await lab.clock.advance(2000)
    expect(moved('add_media')).toBeCloseTo(0.1822, 9)
  })

  test('waste runs until it is stopped', async () => {
    await start({}, [])
    await lab.run('remove_waste', { continuously: true })
    await lab.clock.advance(60_000)
    expect(duty('waste')).toBe(100)
    await lab.set('remove_waste', '$state', 'disconnected')
    expect(duty('waste')).toBe(0)
  })
})

test('continuous inflow ends when the vial is full', async () => {
  await start()
  await lab.run('add_media', { continuously: true })
  await lab.clock.advance(10_000)
  expect(duty('media')).toBe(0)
  expect(variable('current_volume_ml')).toBeCloseTo(18, 6)
  expect(ofState('add_media').at(-1)).toBe('disconnected')
  expect(await lab.run('add_media', { continuously: true })).toMatchObject({ status: 'failed' })
})

test('an inflow ends when somebody else fills the vial meanwhile', async () => {
  await start()
  await lab.run('add_media', { ml: 2 })
  await lab.run('add_alt_media', { ml: 1.9 })
  await lab.clock.advance(5000)
  expect(variable('current_volume_ml')).toBeLessThan(19)
  expect(moved('add_media') + moved('add_alt_media')).toBeCloseTo(variable('current_volume_ml') - 15, 9)
})

test('a pump has one user: the second is refused, and the first goes on', async () => {
  await start()
  await lab.run('add_media', { ml: 2.5 })
  const second = await lab.run('add_media', { ml: 0.1 })
  expect(second).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('in use') as string } })
  expect(duty('media')).toBe(60)
  await lab.clock.advance(3000)
  expect(moved('add_media')).toBeCloseTo(2.5, 9)
  expect(await lab.run('add_media', { ml: 0.1 })).toMatchObject({ status: 'succeeded' })
})

describe('when something fails', () => {
  test('an output that does not follow moves nothing', async () => {
    await start()
    lab.bioreactor.broken = true
    expect(await lab.run('add_media', { ml: 1 })).toMatchObject({ status: 'failed' })
    expect(doses()).toEqual([])
    expect(account().pumping).toEqual([])
  })

  test('a pump that is switched off behind the back of its job is told as what it moved until then', async () => {
    await start()
    await lab.run('add_media', { ml: 2.5 })
    lab.bioreactor.duty.set(PINS.media, 0)
    await lab.set('add_media', '$state', 'disconnected')
    expect(moved('add_media')).toBeCloseTo(1, 9)
  })

  test('a broker that is gone stops the pump at once, and what moved is told when it is back', async () => {
    await start()
    await lab.run('add_media', { ml: 2.5 })
    lab.broker.setConnected(false)
    await lab.service.suspend('the broker is gone')
    expect(duty('media')).toBe(0)
    await lab.clock.advance(10_000)
    lab.broker.setConnected(true)
    await lab.clock.advance(10)
    expect(moved('add_media')).toBeCloseTo(1, 9)
    expect(variable('current_volume_ml')).toBeCloseTo(16, 9)
  })

  test('a publish that hangs for ever does not keep a pump running', async () => {
    class Hanging extends MemoryBroker {
      hangs = false
      override connect(will?: { readonly topic: string; readonly payload: string }) {
        const bus = super.connect(will)
        const publish = bus.publish.bind(bus)
        bus.publish = (...args) => (this.hangs ? new Promise(() => undefined) : publish(...args))
        return bus
      }
    }
    const broker = new Hanging()
    await start({ broker })
    await lab.run('add_media', { ml: 2.5 })
    broker.hangs = true
    await lab.clock.advance(1500)
    expect(duty('media')).toBe(0)
    expect(lab.book.liquid('exp').volume_ml).toBeCloseTo(17.5, 9)
    broker.hangs = false
  })

  test('no pump runs before it is on disk that it will', async () => {
    let release = (): void => undefined
    const acknowledged = new Promise<void>((resolve) => {
      release = resolve
    })
    class Slow extends MemoryBroker {
      override connect(will?: { readonly topic: string; readonly payload: string }) {
        const bus = super.connect(will)
        const publish = bus.publish.bind(bus)
        bus.publish = async (topic, ...more) => {
          await publish(topic, ...more)
          if (topic.includes('/liquids/') && account().pumping.length > 0) await acknowledged
        }
        return bus
      }
    }
    await start({ broker: new Slow() })
    await lab.run('add_media', { ml: 1 })
    expect(account().pumping).toMatchObject([{ event: 'add_media', left_ml: 1 }])
    await lab.clock.advance(300)
    expect(duty('media')).toBe(0)
    release()
    await lab.clock.advance(0)
    expect(duty('media')).toBe(60)
    await lab.clock.advance(1000)
    expect(duty('media')).toBe(0)
    expect(moved('add_media')).toBeCloseTo(1, 9)
  })

  test('a clock of the wall that jumps changes neither how long nor how much', async () => {
    await start()
    await lab.run('add_media', { ml: 2.5 })
    lab.clock.jump(-86_400_000)
    await lab.clock.advance(1500)
    expect(duty('media')).toBe(0)
    expect(moved('add_media')).toBeCloseTo(2.5, 9)
  })
})

describe('the account', () => {
  test('goes on where it was after a restart', async () => {
    const broker = new MemoryBroker()
    await start({ broker })
    await lab.run('add_alt_media', { ml: 1 })
    await lab.clock.advance(1000)
    const before = account()
    await lab.service.stop()
    await lab.book.stop()
    lab.close()
    await start({ broker, clock: lab.clock })
    expect(lab.book.liquid('exp')).toEqual(before.liquid)
    await lab.run('add_media', { ml: 1 })
    await lab.clock.advance(1000)
    expect(variable('current_volume_ml')).toBeCloseTo(17, 9)
  })

  test('knows of a pump that ran when everything died: until it was off, and never more than was ordered', async () => {
    const broker = new MemoryBroker()
    await start({ broker })
    await lab.run('add_media', { ml: 2.5 })
    const { clock, service, book } = lab
    expect(account().pumping).toMatchObject([{ event: 'add_media', left_ml: 1.5, ml_per_s: 1 }])
    const killed = [...broker.retained]
    await service.stop()
    await book.stop()
    lab.close()
    // As the broker held it at that moment.
    const after = new MemoryBroker()
    for (const [topic, payload] of killed) after.retained.set(topic, payload)
    await clock.advance(700)
    await start({ broker: after, clock, bioreactor: new FakeBioreactor() })
    expect(doses()).toEqual([expect.objectContaining({ event: 'add_media', volume_change: 0.7 })])
    expect(variable('current_volume_ml')).toBeCloseTo(16.7, 9)
    expect(account().pumping).toEqual([])
    expect(duty('media')).toBe(0)
  })

  test('counts the doses of others, whatever they call their medium, and none twice', async () => {
    await start()
    await lab.run('add_media', { ml: 1 })
    await lab.clock.advance(1000)
    const { bus } = lab.context
    const dose = {
      volume_change: 1,
      event: 'add_salty_media',
      source_of_event: 'plugin',
      timestamp: '2026-01-02T03:04:06.000Z',
    }
    await bus.publish('pioreactor/u1/exp/dosing_events', JSON.stringify(dose))
    await bus.publish(
      'pioreactor/u1/exp/dosing_events',
      JSON.stringify({ ...dose, source_of_event: 'pump_calibration' }),
    )
    await bus.publish('pioreactor/u1/exp/dosing_events', '{"nonsense": 1}')
    await lab.clock.advance(10)
    expect(variable('current_volume_ml')).toBeCloseTo(17, 9)
    expect(lab.book.liquid('exp').composition['salty_media']).toBeCloseTo(1 / 17, 9)
    expect(account().liquid.added_ml['salty_media']).toBe(1)
  })
})

describe('circulation', () => {
  test('tells both flows, and lets no more in than out', async () => {
    await start()
    await lab.run('circulate_alt_media', { duration: 3 })
    await lab.clock.advance(8000)
    expect(moved('add_alt_media')).toBeCloseTo(2.55, 9)
    expect(moved('remove_waste')).toBeCloseTo(2.55, 9)
    expect(variable('current_volume_ml')).toBe(15)
    expect(variable('alt_media_fraction')).toBeGreaterThan(0.1)
    expect([duty('alt_media'), duty('waste')]).toEqual([0, 0])
    expect(ofState('circulate_alt_media').at(-1)).toBe('disconnected')
  })

  test('stops both pumps when it is stopped', async () => {
    await start()
    await lab.run('circulate_media', { duration: 30 })
    await lab.clock.advance(300)
    expect([duty('media'), duty('waste')]).toEqual([60, 60])
    await lab.set('circulate_media', '$state', 'disconnected')
    expect([duty('media'), duty('waste')]).toEqual([0, 0])
  })

  test('ends the inflow when the waste pump fails', async () => {
    await start()
    await lab.run('circulate_media', { duration: 30 })
    await lab.run('remove_waste', { ml: 1 })
    expect(duty('media') + duty('waste')).toBeGreaterThan(0)
    // The board switches the waste pump off, as its watchdog would.
    await pwm.cutOff(PINS.waste, 'it was driven at 0 %')
    await lab.clock.advance(1000)
    expect([duty('media'), duty('waste')]).toEqual([0, 0])
    expect(lab.published('logs/app/error').join()).toContain('waste pump was switched off')
  })
})

describe('a script', () => {
  test('runs its steps one after the other', async () => {
    await start()
    const args = ['--media', '1', '--sleep', '2', '--waste_', '1', '--media__', '0.5']
    await lab.run('pumps', {}, { args })
    await lab.clock.advance(10_000)
    expect(moved('add_media')).toBeCloseTo(1.5, 9)
    expect(moved('remove_waste')).toBeCloseTo(1, 9)
    expect(variable('current_volume_ml')).toBeCloseTo(15.5, 9)
    expect(ofState('pumps').at(-1)).toBe('disconnected')
  })

  test.each([
    [['--media'], /--media/],
    [['media', '1'], /media/],
    [['--beer', '1'], /--beer/],
    [['--media', '-1'], /--media is '-1'/],
    [['--sleep', '1e9'], /86400 s/],
    [['--media', '1', '--media_', '2.5'], /--media 2.5 adds/],
  ])('%j is refused as a whole', async (args, reason) => {
    await start()
    const task = await lab.run('pumps', {}, { args })
    expect(task).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(reason) as string } })
    expect(doses()).toEqual([])
  })
})

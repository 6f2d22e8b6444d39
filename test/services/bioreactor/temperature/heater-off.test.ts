import { afterEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { LedBoard } from '../../../../services/bioreactor/board/led-board.js'
import { startOutputWatchdog, type WatchdogReport } from '../../../../services/bioreactor/board/output-watchdog.js'
import { eventually } from '../../../support/eventually.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import {
  FIRST_AFTER_S,
  GUARD_S,
  INFERENCE_S,
  JOB,
  PERIOD_S,
  startHeating,
  startTemperatureLab,
  type TemperatureLab,
} from './temperature-lab.js'

let t: TemperatureLab
afterEach(() => t.end())

describe('the heater is off', () => {
  test('when the job is stopped, also in the middle of an inference', async () => {
    t = await startHeating()
    await give(t.lab.service, stopJobsCommand, { job_name: JOB }, 'stop')
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.thermostat()
    await t.seconds(FIRST_AFTER_S + 20)
    await give(t.lab.service, stopJobsCommand, { job_name: JOB }, 'stop-2')
    await t.seconds(PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.state()).toBe('disconnected')
  })

  test.each(['unplugged', 'i2c_error'])(
    'within seconds when its probe has the fault %s, and goes on when it is back',
    async (fault) => {
      t = await startHeating()
      t.bioreactor.setFault(fault, 'heater_board')
      await t.seconds(GUARD_S + 1)
      expect(t.bioreactor.heaterPercent).toBe(0)
      expect(t.logged('error').at(-1)).toMatch(/heater is off: The probe .* does not answer/)
      expect(t.events().at(-1)?.event_name).toBe('ErrorOccurred')
      const told = [t.logged('error').length, t.temperatures().length]
      await t.seconds(PERIOD_S)
      expect([t.logged('error').length, t.temperatures().length]).toEqual(told)
      expect(t.state()).toBe('ready')

      t.bioreactor.bench.clearFault()
      await t.seconds(2 * PERIOD_S)
      expect(t.logged('notice').at(-1)).toContain('may be heated again')
      expect(t.temperatures().length).toBeGreaterThan(told[1] ?? 0)
      expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
    },
  )

  test('after an inference in whose course the probe was lost', async () => {
    t = await startHeating()
    await t.seconds(PERIOD_S - INFERENCE_S + 20)
    t.bioreactor.setFault('unplugged', 'heater_board')
    const before = t.temperatures().length
    await t.seconds(INFERENCE_S)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.temperatures()).toHaveLength(before)
    expect(t.logged('error').at(-1)).toContain('does not answer')
  })

  test('when a read of the probe hangs', async () => {
    t = await startHeating()
    t.bioreactor.onTheWay = () => new Promise<number>(() => undefined)
    await t.seconds(GUARD_S)
    await eventually(() => expect(t.bioreactor.heaterPercent).toBe(0))
    expect(t.logged('error').at(-1)).toContain('longer than 1 s')
  })

  test('within a period when its probe is stuck, and the job sleeps until somebody has looked after it', async () => {
    t = await startHeating()
    t.bioreactor.setFault('stuck', 'heater_board')
    await t.seconds(PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.state()).toBe('sleeping')
    expect(t.logged('error').at(-1)).toContain('stuck')
    await t.seconds(3 * PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBe(0)
    t.bioreactor.bench.clearFault()
    await t.lab.set(JOB, '$state', 'ready')
    await t.seconds(2 * PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
  })

  test.each([
    ['is stuck high', () => -0.0625],
    ['is stuck low', () => 0],
  ])('when the bus of its probe %s', async (_, read) => {
    t = await startHeating()
    t.bioreactor.onTheWay = read
    await t.seconds(GUARD_S + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.logged('error').at(-1)).toContain('no culture is as cold')
  })

  test('when its probe jumps faster than a board can, but not for one bad read', async () => {
    t = await startHeating()
    let reads = 0
    t.bioreactor.onTheWay = (celsius) => (reads++ === 20 ? celsius + 30 : celsius)
    const before = t.temperatures().length
    await t.seconds(PERIOD_S)
    expect(reads).toBeGreaterThan(120)
    expect(t.temperatures()).toHaveLength(before + 1)
    expect(t.logged('error')).toEqual([])

    t.bioreactor.onTheWay = (celsius) => celsius + (reads++ % 2) * 10
    await t.seconds(PERIOD_S)
    expect(t.temperatures()).toHaveLength(before + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.logged('error').at(-1)).toContain('within a quarter of a second')
  })

  test('above the limit of the vessel, with the code for the LED of the unit', async () => {
    t = await startHeating()
    t.bioreactor.onTheWay = () => 80.1
    await t.seconds(GUARD_S + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.logged('warning').at(-1)).toContain('above 80 ℃')
    expect(t.texts('monitor/flicker_led_with_error_code')).toEqual(['6'])
    expect(t.state()).toBe('ready')
    expect(t.bioreactor.powerOffs).toBe(0)
  })

  test('above the limit at which the unit is shut down, which it is', async () => {
    t = await startHeating()
    t.bioreactor.onTheWay = () => 85.1
    await t.seconds(GUARD_S + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.bioreactor.powerOffs).toBe(1)
    expect(t.texts('monitor/flicker_led_with_error_code')).toEqual(['6'])
    expect(t.state()).toBe('disconnected')
    expect(t.logged('error').at(-1)).toContain('above 85 ℃')
  })

  test('by a tenth less at each look above the first limit', async () => {
    t = await startHeating()
    const percent = t.bioreactor.heaterPercent
    t.bioreactor.onTheWay = () => 79
    await t.seconds(52)
    expect(t.bioreactor.heaterPercent).toBeCloseTo(0.9 * percent, 1)
  })
})

describe('whoever listens', () => {
  /** Takes messages and never acknowledges them. */
  class Silent extends MemoryBroker {
    isSilent = false

    override connect(...will: Parameters<MemoryBroker['connect']>) {
      const bus = super.connect(...will)
      const publish = bus.publish.bind(bus)
      bus.publish = (...message) => (this.isSilent ? new Promise<never>(() => undefined) : publish(...message))
      return bus
    }
  }

  test.each([80.1, 85.1, null])('nobody has to for the heater to go off: the probe says %s', async (celsius) => {
    const broker = new Silent()
    t = await startTemperatureLab({ broker })
    await t.thermostat()
    await t.seconds(FIRST_AFTER_S + 3 * PERIOD_S + INFERENCE_S + 30)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(5)
    broker.isSilent = true
    if (celsius === null) t.bioreactor.setFault('unplugged', 'heater_board')
    else t.bioreactor.onTheWay = () => celsius
    await t.seconds(GUARD_S + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.bioreactor.powerOffs).toBe(celsius === 85.1 ? 1 : 0)
  })

  test('a broker that is gone switches the heater off; it goes on when it is back', async () => {
    t = await startHeating()
    await t.lab.service.suspend?.('the broker is away')
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(20)
    await t.lab.service.resume?.()
    await t.seconds(2 * PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
  })
})

describe('one heater', () => {
  test('has one user: neither a second automation nor another job gets it', async () => {
    t = await startHeating()
    expect(JSON.stringify(await t.run('only_record_temperature'))).toContain('already running')
    const user = { emit: () => undefined, log: () => undefined, atEnd: () => undefined, experiment: 'exp' }
    await expect(t.pwm.claim('5', 16, user, 'unlimited')).rejects.toMatchObject({ code: 'pwm.busy' })
    expect(t.state()).toBe('ready')
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
  })

  test('is claimed anew after a limit has switched it off, from the next temperature on', async () => {
    t = await startHeating()
    await t.pwm.cutOff(t.bioreactor.board.pwmPins[5], 'the test says so')
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.texts(`${JOB}/heater_duty_cycle`).at(-1)).toBe('0')
    await t.seconds(20)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
    expect(Number(t.texts(`${JOB}/heater_duty_cycle`).at(-1))).toBe(t.bioreactor.heaterPercent)
  })
})

describe('beside the watchdog', () => {
  const watch = () => {
    const reports: WatchdogReport[] = []
    const watchdog = startOutputWatchdog({
      bioreactor: t.bioreactor,
      pwm: t.pwm,
      leds: new LedBoard(t.bioreactor.leds, t.clock),
      timer: t.clock,
      report: (report) => reports.push(report),
    })
    return { watchdog, reports }
  }

  test('the thermostat heats undisturbed', async () => {
    t = await startHeating()
    const { watchdog, reports } = watch()
    const before = t.temperatures().length
    await t.seconds(4 * PERIOD_S)
    await watchdog.stop()
    expect(reports).toEqual([])
    expect(t.temperatures()).toHaveLength(before + 4)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
  })

  test('a probe that is gone costs the heat within two seconds, and the heater is claimed anew when it is back', async () => {
    t = await startHeating()
    const { watchdog, reports } = watch()
    t.bioreactor.setFault('unplugged', 'heater_board')
    await t.seconds(2)
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(reports[0]?.message).toContain('probe does not answer')
    t.bioreactor.bench.clearFault()
    await t.seconds(2 * PERIOD_S)
    await watchdog.stop()
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
    expect(t.state()).toBe('ready')
  })
})

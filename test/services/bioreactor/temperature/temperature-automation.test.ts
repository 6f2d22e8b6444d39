import { afterEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import {
  FIRST_AFTER_S,
  INFERENCE_S,
  JOB,
  PERIOD_S,
  startHeating,
  startTemperatureLab,
  type TemperatureLab,
} from './temperature-lab.js'

let t: TemperatureLab
afterEach(() => t.end())

describe('the thermostat', () => {
  test('takes the true culture from 22 to 37 °C, passes them by a degree at most and holds them for hours', async () => {
    t = await startTemperatureLab()
    expect(await t.thermostat()).toMatchObject({ status: 'succeeded', result: { ok: true } })
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const watch = async (hours: number): Promise<void> => {
      for (let minute = 0; minute < hours * 60; minute++) {
        await t.seconds(60)
        low = Math.min(low, t.bioreactor.cultureC)
        high = Math.max(high, t.bioreactor.cultureC)
      }
    }
    await watch(3)
    expect(high).toBeLessThan(38)
    low = high = t.bioreactor.cultureC
    await watch(5)
    expect(low).toBeGreaterThan(36.5)
    expect(high).toBeLessThan(37.5)
    const inferred = t.temperatures().slice(-20)
    for (const { temperature } of inferred) expect(Math.abs(temperature - t.bioreactor.cultureC)).toBeLessThan(0.6)
  }, 60_000)

  test('publishes what a Pioreactor publishes', async () => {
    t = await startTemperatureLab()
    await t.thermostat()
    expect(t.temperatures()).toHaveLength(1)
    expect(t.temperatures()[0]?.temperature).toBeCloseTo(22, 0)
    await t.seconds(FIRST_AFTER_S + INFERENCE_S)
    expect(t.temperatures()).toHaveLength(2)
    const [, second] = t.temperatures()
    expect(second?.temperature).toBe(Number(second?.temperature.toFixed(2)))
    expect(Date.parse(second?.timestamp ?? '')).toBeLessThanOrEqual(t.clock.now().getTime())

    expect(t.lab.published(`${JOB}/automation_name`)).toEqual(['thermostat'])
    expect(t.lab.published(`${JOB}/target_temperature`)).toEqual(['37'])
    expect(Number(t.texts(`${JOB}/heater_duty_cycle`).at(-1))).toBe(t.bioreactor.heaterPercent)
    expect(JSON.parse(t.texts('pwms/dc').at(-1) ?? '')).toEqual({ '18': t.bioreactor.heaterPercent })
    expect(t.events().at(-1)).toMatchObject({
      event_name: 'UpdatedHeaterDC',
      data: { current_dc: t.bioreactor.heaterPercent, target_temperature: 37, latest_temperature: second?.temperature },
    })
    expect(JSON.parse(t.texts('pid_log/temperature').at(-1) ?? '')).toMatchObject({
      Kp: 2.6,
      Ki: 0,
      Kd: 4.6,
      output_limits_lb: -25,
      output_limits_ub: 25,
      job_name: JOB,
      target_name: 'temperature',
    })
    const retained = t.lab.broker.published.filter(({ topic }) => topic.endsWith('/temperature'))
    expect(retained.map(({ retain }) => retain)).toEqual([true, false, true, false])
  })

  test('heats between inferences and not while one is made', async () => {
    t = await startHeating()
    const percent = t.bioreactor.heaterPercent
    await t.seconds(60)
    expect(t.bioreactor.heaterPercent).toBe(percent)
    await t.seconds(15)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(INFERENCE_S - 20)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(20)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
    // Nothing is told of it being kept on.
    const duties = t.texts(`${JOB}/heater_duty_cycle`).length
    await t.seconds(50)
    expect(t.texts(`${JOB}/heater_duty_cycle`)).toHaveLength(duties)
  })

  test('takes a new target at once and works towards it from the next temperature on', async () => {
    t = await startHeating()
    const percent = t.bioreactor.heaterPercent
    await t.lab.set(JOB, 'target_temperature', '25')
    expect(t.lab.published(`${JOB}/target_temperature`)).toEqual(['37', '25'])
    expect(t.bioreactor.heaterPercent).toBe(percent)
    await t.seconds(PERIOD_S)
    const [setpoint, next] = t
      .texts('pid_log/temperature')
      .slice(-2)
      .map((text) => (JSON.parse(text) as { setpoint: number }).setpoint)
    expect(next).toBeLessThan(setpoint ?? 0)
    const [history] = t.texts(`${JOB}/${JOB}_settings`).map((text) => JSON.parse(text) as { settings: string })
    expect(JSON.parse(Buffer.from(history?.settings ?? '', 'base64').toString())).toMatchObject({
      target_temperature: 37,
    })
  })

  test.each(['78.1', '-1', 'nan', 'inf', 'warm'])('refuses %s as a target, and nothing moves', async (text) => {
    t = await startHeating()
    const percent = t.bioreactor.heaterPercent
    await t.lab.set(JOB, 'target_temperature', text)
    expect(t.lab.published(`${JOB}/target_temperature`)).toEqual(['37'])
    expect(t.logged('error').at(-1)).toContain('target_temperature')
    expect(t.bioreactor.heaterPercent).toBe(percent)
  })

  test('refuses a target that its vessel is not heated to, at the start and later', async () => {
    t = await startTemperatureLab()
    Object.assign(t.bioreactor, { model: { ...t.bioreactor.model, max_temp_to_reduce_heating: 63 } })
    const refused = await t.thermostat(63.5)
    expect(refused).toMatchObject({ status: 'failed' })
    expect(JSON.stringify(refused)).toContain('target_temperature is 63.5 ℃')
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(await t.thermostat(63)).toMatchObject({ status: 'succeeded' })
    await t.lab.set(JOB, 'target_temperature', '64')
    expect(t.lab.published(`${JOB}/target_temperature`).at(-1)).toBe('63')
  })

  test('does not start without a target, nor without the heater board', async () => {
    t = await startTemperatureLab()
    expect(JSON.stringify(await t.run('thermostat'))).toContain('target_temperature')
    t.bioreactor.setFault('unplugged', 'heater_board')
    expect(JSON.stringify(await t.thermostat())).toContain('heater board')
    expect(t.bioreactor.heaterPercent).toBe(0)
  })

  test('warns of a culture that is heated and not stirred', async () => {
    t = await startHeating()
    expect(t.logged('warning').filter((message) => message.includes('stirr'))).toHaveLength(1)
  })
})

describe('recording without heating', () => {
  test('tells the temperature and never heats', async () => {
    t = await startTemperatureLab()
    await t.run('only_record_temperature')
    await t.seconds(FIRST_AFTER_S + 2 * PERIOD_S + INFERENCE_S)
    expect(t.temperatures()).toHaveLength(4)
    for (const { temperature } of t.temperatures()) expect(temperature).toBeCloseTo(22, 0)
    expect(new Set(t.texts(`${JOB}/heater_duty_cycle`))).toEqual(new Set(['0']))
    expect(t.events().at(-1)?.event_name).toBe('NoEvent')
  })
})

describe('a board that is still warm', () => {
  test('is not taken for the culture at the next start', async () => {
    t = await startHeating()
    await give(t.lab.service, stopJobsCommand, { job_name: JOB }, 'stop')
    const before = t.temperatures().length
    await t.seconds(60)
    await t.run('only_record_temperature')
    expect(t.temperatures()).toHaveLength(before)
    await t.seconds(FIRST_AFTER_S + INFERENCE_S)
    expect(t.temperatures()).toHaveLength(before + 1)
  })
})

describe('pause and resume', () => {
  test('the heater is off at once and stays off until the next temperature', async () => {
    t = await startHeating()
    await t.lab.set(JOB, '$state', 'sleeping')
    expect(t.bioreactor.heaterPercent).toBe(0)
    expect(t.texts(`${JOB}/heater_duty_cycle`).at(-1)).toBe('0')
    await t.seconds(40)
    await t.lab.set(JOB, '$state', 'ready')
    await t.seconds(20)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(PERIOD_S)
    expect(t.bioreactor.heaterPercent).toBeGreaterThan(0)
  })

  test('a pause during an inference lets it end, but does not let its heat back', async () => {
    t = await startHeating()
    await t.seconds(PERIOD_S - INFERENCE_S + 20)
    expect(t.bioreactor.heaterPercent).toBe(0)
    const before = t.temperatures().length
    await t.lab.set(JOB, '$state', 'sleeping')
    await t.seconds(INFERENCE_S)
    expect(t.temperatures()).toHaveLength(before + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
    await t.seconds(PERIOD_S)
    expect(t.temperatures()).toHaveLength(before + 1)
    expect(t.bioreactor.heaterPercent).toBe(0)
  })
})

test('a wall clock that jumps by a day changes nothing', async () => {
  class Jumping extends FakeClock {
    offsetMs = 0
    override now(): Date {
      return new Date(super.now().getTime() + this.offsetMs)
    }
  }
  const jumping = new Jumping()
  t = await startTemperatureLab({ clock: jumping })
  await t.thermostat()
  const before = t.temperatures().length
  for (const day of [1, -1]) {
    jumping.offsetMs = day * 86_400_000
    await t.seconds(5 * PERIOD_S)
    expect(t.bioreactor.cultureC).toBeLessThan(38)
  }
  expect(t.temperatures()).toHaveLength(before + 9)
})

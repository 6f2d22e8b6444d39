import { setImmediate } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { PwmBoard } from '../../../../services/bioreactor/board/pwm-board.js'
import { type ClaimedHeater, Heater } from '../../../../services/bioreactor/temperature/heater.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { FakeClock } from '../../../support/fake-clock.js'

const HEATER_PIN = 18

let clock: FakeClock
let bioreactor: FakeBioreactor
let heaters: Heater
let heater: ClaimedHeater
let told: number[]
let logs: string[]
let ends: (() => Promise<void> | void)[]

beforeEach(async () => {
  clock = new FakeClock()
  bioreactor = new FakeBioreactor()
  heaters = new Heater(bioreactor, new PwmBoard(bioreactor, clock), clock)
  told = []
  logs = []
  ends = []
  const user = {
    experiment: 'exp',
    emit: () => undefined,
    log: (_: string, message: string) => void logs.push(message),
    atEnd: (release: () => Promise<void> | void) => void ends.push(release),
  }
  heater = await heaters.claim(user, (percent) => told.push(percent))
})

const driven = (): number => bioreactor.duty.get(HEATER_PIN) ?? 0
const heat = (percent: number): Promise<void> => heater.set(percent, () => true)

describe('a claimed heater', () => {
  test('goes off when nobody sets or keeps it, and stays off until it is claimed anew', async () => {
    await heat(20)
    for (let look = 0; look < 10; look++) {
      await clock.advance(5_000)
      heater.keep()
    }
    expect(driven()).toBe(20)
    await clock.advance(29_900)
    expect(driven()).toBe(20)
    await clock.advance(100)
    expect(driven()).toBe(0)
    expect(told).toEqual([20, 0])
    expect(logs[0]).toContain('nobody set it for 30 s')
    heater.keep()
    await expect(heat(10)).rejects.toMatchObject({ code: 'pwm.cut_off' })
    expect(driven()).toBe(0)
    await heater.claimAnew()
    await heat(10)
    expect(driven()).toBe(10)
  })

  test('is tried again when it does not go off at once', async () => {
    await heat(20)
    bioreactor.deafTo = 2
    const off = heater.off()
    await clock.advance(200)
    await off
    expect(driven()).toBe(0)
  })

  test('that is set while it goes off goes off the next time, too', async () => {
    bioreactor.pwmFile = () => setImmediate()
    await heat(20)
    await Promise.all([heater.off(), heat(30)])
    expect(driven()).toBe(30)
    await heater.off()
    expect(driven()).toBe(0)
  })

  test('takes 0 to 100 %, in hundredths', async () => {
    for (const percent of [12.3456, -3, 140, Number.NaN]) await heat(percent)
    expect(told).toEqual([12.35, 0, 100, 0])
  })

  test('is off at the end of its job, however often it was claimed', async () => {
    await heat(20)
    await clock.advance(30_000)
    await heater.claimAnew()
    await heat(20)
    for (const end of ends) await end()
    expect(driven()).toBe(0)
    await heater.claimAnew()
    await heat(20)
    expect(driven()).toBe(0)
  })
})

test('a heater has rested five minutes after it was on', async () => {
  expect(heaters.isRested).toBe(false)
  await clock.advance(10_000)
  expect(heaters.isRested).toBe(true)
  await heat(1)
  expect(heaters.isRested).toBe(false)
  await heater.off()
  await clock.advance(299_999)
  expect(heaters.isRested).toBe(false)
  await clock.advance(1)
  expect(heaters.isRested).toBe(true)
})

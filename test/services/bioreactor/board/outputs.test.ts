import { describe, expect, test } from 'vitest'
import { pwmEvent } from '../../../../events/bioreactor/outputs.js'
import type { EventDefinition } from '../../../../events/core/define-event.js'
import { LedBoard } from '../../../../services/bioreactor/board/led-board.js'
import { startOutputWatchdog, type WatchdogReport } from '../../../../services/bioreactor/board/output-watchdog.js'
import { PwmBoard, type TellOutputs } from '../../../../services/bioreactor/board/pwm-board.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { FakeClock } from '../../../support/fake-clock.js'

const MEDIA = { channel: '2', pin: 13 }
const HEATER = { channel: '5', pin: 18 }

/** A job that uses outputs: what it emitted, what it logged, and its end. */
class User {
  readonly experiment = 'exp'
  readonly duties: unknown[] = []
  readonly logs: string[] = []
  readonly #releases: (() => Promise<void> | void)[] = []
  readonly emit = (event: EventDefinition, payload: unknown, ..._levels: unknown[]): void => {
    if (event === pwmEvent) this.duties.push(payload)
  }
  readonly log = (_: string, message: string): void => void this.logs.push(message)
  readonly atEnd = (release: () => Promise<void> | void): void => void this.#releases.push(release)

  async end(): Promise<void> {
    for (const release of this.#releases.reverse()) await release()
  }
}

function rig() {
  const clock = new FakeClock()
  const bioreactor = new FakeBioreactor()
  /** What was published of outputs whose job is gone. */
  const told: unknown[] = []
  const tell: TellOutputs = (experiment, _, payload) => void told.push([experiment, payload])
  const board = new PwmBoard(bioreactor, clock, tell)
  const leds = new LedBoard(bioreactor.leds, clock, tell)
  return { clock, bioreactor, board, leds, told, user: new User() }
}

describe('a pump', () => {
  test('goes off after the time it was claimed for, whatever its job does', async () => {
    const { clock, bioreactor, board, user } = rig()
    const pump = await board.claim(MEDIA.channel, 250, user, { maxOnMs: 10_000 })
    await pump.set(100)
    await clock.advance(9_999)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(100)
    await clock.advance(1)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(0)
    expect(pump.duty).toBe(0)
    expect(user.duties.at(-1)).toEqual({})
    expect(user.logs).toEqual(['PWM channel 2 (pin 13) was switched off: it was on for 10 s in sum.'])
    await expect(pump.set(100)).rejects.toMatchObject({ code: 'pwm.cut_off' })
    await expect(pump.set(0)).resolves.toBeUndefined()
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(0)
  })

  test('has its time in sum, not at a stretch', async () => {
    const { clock, bioreactor, board, user } = rig()
    const pump = await board.claim(MEDIA.channel, 250, user, { maxOnMs: 10_000 })
    for (let pulse = 0; pulse < 3; pulse++) {
      await pump.set(100)
      await clock.advance(3_000)
      await pump.set(0)
      await clock.advance(60_000)
    }
    await pump.set(50)
    await clock.advance(500)
    await pump.set(60)
    await clock.advance(499)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(60)
    await clock.advance(1)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(0)
  })

  test('that is claimed anew has its time again', async () => {
    const { clock, bioreactor, board, user } = rig()
    const first = await board.claim(MEDIA.channel, 250, user, { maxOnMs: 1_000 })
    await first.set(100)
    await clock.advance(1_000)
    await user.end()
    const second = await board.claim(MEDIA.channel, 250, new User(), { maxOnMs: 1_000 })
    await second.set(100)
    await clock.advance(900)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(100)
  })

  test('belongs to one job', async () => {
    const { board, user } = rig()
    await board.claim(MEDIA.channel, 250, user, { maxOnMs: 1_000 })
    await expect(board.claim(MEDIA.channel, 250, new User(), { maxOnMs: 1_000 })).rejects.toMatchObject({
      code: 'pwm.busy',
    })
    await user.end()
    await expect(board.claim(MEDIA.channel, 250, new User(), { maxOnMs: 1_000 })).resolves.toBeDefined()
  })
})

test('a heater that nobody sets goes off', async () => {
  const { clock, bioreactor, board, user } = rig()
  const heater = await board.claim(HEATER.channel, 16, user, { maxSilenceMs: 300_000 })
  await heater.set(20)
  await clock.advance(299_000)
  await heater.set(25)
  await clock.advance(299_000)
  expect(bioreactor.duty.get(HEATER.pin)).toBe(25)
  await clock.advance(1_000)
  expect(bioreactor.duty.get(HEATER.pin)).toBe(0)
  expect(user.logs[0]).toContain('nobody set it for 300 s')
})

describe('the watchdog', () => {
  async function watched() {
    const { clock, ...all } = rig()
    const reports: WatchdogReport[] = []
    const watchdog = startOutputWatchdog({
      bioreactor: all.bioreactor,
      pwm: all.board,
      leds: all.leds,
      report: (report) => reports.push(report),
      timer: clock,
    })
    const heater = await all.board.claim(HEATER.channel, 16, all.user, { maxSilenceMs: 300_000 })
    return { clock, reports, watchdog, heater, ...all }
  }

  test('leaves alone what is as its job wants', async () => {
    const { clock, bioreactor, heater, reports, watchdog } = await watched()
    for (const duty of [12.34567, 0, 100, 3]) {
      await heater.set(duty)
      await clock.advance(2_000)
      expect(bioreactor.duty.get(HEATER.pin)).toBe(duty)
    }
    expect(reports).toEqual([])
    await watchdog.stop()
  })

  test('switches off within a second what nobody wants', async () => {
    const { clock, bioreactor, reports } = await watched()
    bioreactor.duty.set(MEDIA.pin, 100)
    await clock.advance(1_000)
    expect(bioreactor.duty.has(MEDIA.pin)).toBe(false)
    expect(reports).toEqual([
      { kind: 'cut_off', message: 'PWM channel 2 was switched off: it was driven at 100 % and nobody uses it.' },
    ])
  })

  test('switches off a heater that is driven harder than its job wants, and the job learns of it', async () => {
    const { clock, bioreactor, heater, user } = await watched()
    await heater.set(10)
    bioreactor.duty.set(HEATER.pin, 90)
    await clock.advance(1_000)
    expect(bioreactor.duty.get(HEATER.pin)).toBe(0)
    expect(user.duties.at(-1)).toEqual({})
    await expect(heater.set(10)).rejects.toThrow(/driven at 90 % where 10 % were wanted/)
  })

  test('tells a job whose output somebody else switched off', async () => {
    const { clock, bioreactor, heater, user } = await watched()
    await heater.set(10)
    await bioreactor.pwm.allOff()
    await clock.advance(1_000)
    expect(heater.duty).toBe(0)
    expect(user.duties.at(-1)).toEqual({})
    await expect(heater.set(10)).rejects.toMatchObject({ code: 'pwm.cut_off' })
  })

  test('switches the heater off above the limit of the vessel, and reports what should shut the unit down', async () => {
    const { clock, bioreactor, heater, reports } = await watched()
    await heater.set(10)
    bioreactor.heaterBoardC = 80
    await clock.advance(2_000)
    expect(bioreactor.duty.get(HEATER.pin)).toBe(10)
    bioreactor.heaterBoardC = 80.1
    await clock.advance(1_000)
    expect(bioreactor.duty.get(HEATER.pin)).toBe(0)
    bioreactor.heaterBoardC = 85.1
    await clock.advance(30_000)
    expect(reports.map(({ kind }) => kind)).toEqual(['cut_off', 'overheated'])
    expect(bioreactor.powerOffs).toBe(1)
  })

  test('does not shut a unit down for a single read, nor for a board that cools after its job', async () => {
    const { clock, bioreactor, user } = await watched()
    bioreactor.heaterBoardC = 90
    await clock.advance(500)
    bioreactor.heaterBoardC = 70
    await user.end()
    await clock.advance(60_000)
    bioreactor.heaterBoardC = 66
    await clock.advance(60_000)
    expect(bioreactor.powerOffs).toBe(0)
    bioreactor.heaterBoardC = 68.1
    await clock.advance(2_000)
    expect(bioreactor.powerOffs).toBe(1)
  })

  test('shuts a unit down whose heater board gets hot although nobody heats it, and says so', async () => {
    const { clock, bioreactor, user, reports } = await watched()
    await user.end()
    for (let celsius = 30; celsius < 65; celsius += 5) {
      bioreactor.heaterBoardC = celsius
      await clock.advance(2_000)
    }
    expect(bioreactor.powerOffs).toBe(0)
    bioreactor.heaterBoardC = 65
    await clock.advance(2_000)
    expect(bioreactor.powerOffs).toBe(1)
    expect(reports.at(-1)?.message).toContain('no job heats it')
  })

  test('switches the heater off when its probe is gone, not when it fails once', async () => {
    const { clock, bioreactor, heater, reports } = await watched()
    await heater.set(10)
    bioreactor.heaterBoardC = null
    await clock.advance(600)
    bioreactor.heaterBoardC = 30
    await clock.advance(5_000)
    expect(bioreactor.duty.get(HEATER.pin)).toBe(10)
    bioreactor.heaterBoardC = null
    await clock.advance(2_000)
    expect(bioreactor.duty.get(HEATER.pin)).toBe(0)
    expect(reports).toHaveLength(1)
    expect(reports[0]?.message).toMatch(/probe does not answer/)
  })

  test('looks no more once it is stopped', async () => {
    const { clock, bioreactor, watchdog } = await watched()
    const stopped = watchdog.stop()
    await clock.advance(0)
    await stopped
    bioreactor.duty.set(MEDIA.pin, 100)
    await clock.advance(5_000)
    expect(bioreactor.duty.get(MEDIA.pin)).toBe(100)
  })

  test('tries again until an output that is deaf follows', async () => {
    const { clock, bioreactor, reports } = await watched()
    bioreactor.duty.set(MEDIA.pin, 100)
    bioreactor.deafTo = 3
    await clock.advance(3_000)
    expect(bioreactor.duty.has(MEDIA.pin)).toBe(false)
    expect(reports.map(({ kind }) => kind)).toEqual(['blind', 'cut_off'])
  })

  test('raises an alarm, once, when an output follows at no try', async () => {
    const { clock, bioreactor, reports } = await watched()
    bioreactor.duty.set(MEDIA.pin, 100)
    bioreactor.deafTo = 1000
    await clock.advance(60_000)
    expect(reports.map(({ kind }) => kind)).toEqual(['blind', 'deaf'])
    expect(reports.at(-1)?.message).toMatch(/may be on: .*deaf/)
  })

  test('puts out an LED that did not follow at the end of its job, as soon as its driver does', async () => {
    const { clock, bioreactor, leds, told, user, reports } = await watched()
    await leds.set({ A: 50, B: 80 }, user)
    bioreactor.deafTo = 1000
    const ended = leds.set({ A: 0, B: 0 }, user).catch((error: unknown) => error)
    await clock.advance(10_000)
    expect(await ended).toMatchObject({ family: 'hardware' })
    expect(reports.map(({ kind }) => kind)).toEqual(['blind', 'deaf'])
    bioreactor.deafTo = 0
    await clock.advance(1_000)
    expect(leds.state).toEqual({ A: 0, B: 0, C: 0, D: 0 })
    expect(told.at(-1)).toEqual(['exp', { A: 0, B: 0, C: 0, D: 0 }])
    expect(reports.at(-1)?.message).toBe('LED B was switched off: it had not followed what it was told.')
  })

  test('leaves an LED alone that follows at the second try', async () => {
    const { clock, bioreactor, leds, user, reports } = await watched()
    bioreactor.broken = true
    await expect(leds.set({ B: 30 }, user)).rejects.toMatchObject({ family: 'hardware' })
    bioreactor.broken = false
    await leds.set({ B: 30 }, user)
    await clock.advance(5_000)
    expect(leds.state.B).toBe(30)
    expect(reports).toEqual([])
  })

  test('tells that an output is off which its job could not switch off', async () => {
    const { clock, bioreactor, board, heater, told, user } = await watched()
    await heater.set(10)
    bioreactor.deafTo = 1
    await expect(user.end()).rejects.toMatchObject({ family: 'hardware' })
    expect(bioreactor.duty.get(HEATER.pin)).toBe(10)
    await clock.advance(1_000)
    expect(bioreactor.duty.has(HEATER.pin)).toBe(false)
    expect(told).toEqual([['exp', {}]])
    await expect(board.claim(HEATER.channel, 16, new User(), 'unlimited')).resolves.toBeDefined()
  })
})

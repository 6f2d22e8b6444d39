import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { SessionView } from '../../../../events/bioreactor/calibration-sessions.js'
import {
  createSessionWorld,
  givenSessionLab,
  killed,
  type SessionLab,
  type SessionWorld,
} from '../../../support/session-lab.js'

const MEDIA_PIN = '13'
const WASTE_PIN = '12'
const PRIME = [{}, {}, {}, {}, {}, {}, {}] as const
const idOf = ({ session }: SessionView): string => session.session_id
const refusal = (code: string) => expect.objectContaining({ code }) as Error

/** A session of the media pump that is asked to fill the tubes, and does. */
async function givenRunningPump(whole?: SessionWorld) {
  const lab = await givenSessionLab(whole)
  const { bench } = lab.lab
  const id = idOf(await lab.begin('media_pump', 'duration_based'))
  await lab.answerAll(id, PRIME)
  bench.pumpIntoGlass(true)
  const answered = lab.answer(id, { prime_duration_s: 250 })
  answered.catch(() => undefined)
  const duty = (): number => bench.outputs.pwm[MEDIA_PIN] ?? 0
  await lab.until(() => duty() > 0)
  await lab.lab.clock.advance(3000)
  return { lab, bench, id, answered, duty }
}

describe('a session', () => {
  test('goes on after a kill at every step, and comes to the same calibration', async () => {
    const rate = 0.1
    const inputsOf = ({ session, step }: SessionView): Readonly<Record<string, unknown>> => {
      if (!step.fields.some(({ name }) => name === 'volume_ml')) return {}
      const { durations_to_test: durations, results } = session.data as {
        durations_to_test: number[]
        results: number[]
      }
      return { volume_ml: rate * (durations[results.length] ?? 1) }
    }
    let whole = createSessionWorld()
    let lab = await givenSessionLab(whole)
    let view = await lab.begin('media_pump', 'duration_based')
    let kills = 0
    while (view.session.status === 'in_progress') {
      whole = killed(whole)
      lab = await givenSessionLab(whole)
      view = await lab.answer(idOf(view), inputsOf(view))
      kills++
    }
    expect(kills).toBe(30)
    expect(view.session.result).toMatchObject({ stats: { slope: expect.closeTo(rate, 9) as number } })
    expect(await lab.stores.calibrations.active('media_pump')).toMatchObject({
      curve_data_: { coefficients: [expect.closeTo(rate, 9), 0] },
    })
    // What is over is known in the next life, and does nothing.
    const next = await givenSessionLab(killed(whole))
    expect((await next.answer(idOf(view))).session).toEqual(view.session)
  }, 60_000)

  test('that is killed while its pump runs is where it was, and the pump stands', async () => {
    const whole = createSessionWorld()
    const { id, duty } = await givenRunningPump(whole)
    const after = killed(whole)
    const next = await givenSessionLab(after)
    expect(duty()).toBe(0)
    expect((await next.answer(id, { prime_duration_s: 5 })).step.step_id).toBe('tracer_run')
  })

  test('that is aborted stops its pump at once, and leaves it to others', async () => {
    const { lab, bench, id, answered, duty } = await givenRunningPump()
    const before = bench.truth.glass_ml
    expect((await lab.abort(id)).session).toMatchObject({ status: 'aborted', error: 'Aborted by the user.' })
    expect(duty()).toBe(0)
    await lab.lab.clock.advance(5000)
    expect(bench.truth.glass_ml - before).toBeLessThan(0.02)
    await expect(lab.run(answered)).rejects.toThrow(refusal('calibration_session.measurement_failed'))
    expect((await lab.answer(id)).session.status).toBe('aborted')
    const other = idOf(await lab.begin('media_pump', 'duration_based'))
    await lab.answerAll(other, PRIME)
    expect((await lab.answer(other, { prime_duration_s: 5 })).step.step_id).toBe('tracer_run')
  })

  test('that is aborted while its step begins moves nothing afterwards, whenever that is', async () => {
    const lab = await givenSessionLab()
    const { bench, clock } = lab.lab
    bench.pumpIntoGlass(true)
    for (let turns = 0; turns <= 12; turns++) {
      const id = idOf(await lab.begin('media_pump', 'duration_based'))
      await lab.answerAll(id, PRIME)
      const before = bench.truth.glass_ml
      const answered = lab.answer(id, { prime_duration_s: 250 })
      answered.catch(() => undefined)
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      expect((await lab.abort(id)).session.status).toBe('aborted')
      await lab.run(answered).catch(() => undefined)
      await clock.advance(5000)
      expect(bench.outputs.pwm[MEDIA_PIN] ?? 0).toBe(0)
      expect(lab.lab.service.isRunning('pump_calibration')).toBe(false)
      expect(bench.truth.glass_ml - before).toBeLessThan(0.02)
    }
  })

  test('whose step begins when the broker goes moves nothing until it is back', async () => {
    const lab = await givenSessionLab()
    const { bench, clock, service } = lab.lab
    const id = idOf(await lab.begin('media_pump', 'duration_based'))
    await lab.answerAll(id, PRIME)
    for (let turns = 0; turns <= 12; turns++) {
      const answered = lab.answer(id, { prime_duration_s: 250 })
      answered.catch(() => undefined)
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      await service.suspend('the broker is gone')
      await expect(lab.run(answered)).rejects.toThrow()
      await clock.advance(5000)
      expect(bench.outputs.pwm[MEDIA_PIN] ?? 0).toBe(0)
      expect(service.isRunning('pump_calibration')).toBe(false)
      await service.resume()
    }
  })

  test('of light or stirring that is aborted while its step begins lights and stirs nothing', async () => {
    const lab = await givenSessionLab()
    const id = idOf(await lab.begin('od90', 'standards'))
    await lab.answerAll(id, [{}, {}, {}, {}])
    const answered = lab.answer(id, { od600_value: 1 })
    answered.catch(() => undefined)
    await lab.abort(id)
    await lab.run(answered).catch(() => undefined)
    await lab.lab.clock.advance(5000)
    expect(lab.lab.service.isRunning('od_calibration')).toBe(false)
    expect(lab.lab.published('stirring/$state', SCRATCH)).toEqual([])
  })

  test('does one thing at a time', async () => {
    const { lab, id, answered } = await givenRunningPump()
    await expect(lab.answer(id)).rejects.toThrow(refusal('calibration_session.busy'))
    expect((await lab.run(answered)).step.step_id).toBe('tracer_run')
  })

  test('does not take a pump from a job, and goes on when that has ended', async () => {
    const lab = await givenSessionLab()
    const id = idOf(await lab.begin('waste_pump', 'duration_based'))
    await lab.answerAll(id, PRIME)
    const duty = (): number => lab.lab.bench.outputs.pwm[WASTE_PIN] ?? 0
    // Files are read in real time, in which much of the vial's may pass.
    await lab.lab.begin('remove_waste', { duration: 3000 })
    await lab.until(() => duty() > 0)
    await expect(lab.answer(id, { prime_duration_s: 5 })).rejects.toThrow(refusal('pwm.busy'))
    await lab.lab.set('remove_waste', '$state', 'disconnected')
    await lab.until(() => duty() === 0)
    await lab.lab.clock.advance(1000)
    expect((await lab.answer(id, { prime_duration_s: 5 })).step.step_id).toBe('tracer_run')
  })

  test.each([
    ['the broker is gone', async ({ lab }: SessionLab) => lab.service.suspend('the broker is gone')],
    [
      'all jobs are stopped',
      async ({ lab }: SessionLab) => lab.set('pump_calibration', '$state', 'disconnected', SCRATCH),
    ],
  ])('whose pump is stopped because %s says so, and stays where it is', async (_, stop) => {
    const { lab, id, answered, duty } = await givenRunningPump()
    await stop(lab)
    await lab.lab.clock.advance(0)
    expect(duty()).toBe(0)
    await expect(lab.run(answered)).rejects.toThrow(refusal('calibration_session.measurement_failed'))
    await lab.lab.service.resume()
    expect((await lab.answer(id, { prime_duration_s: 5 })).step.step_id).toBe('tracer_run')
  })

  test('of light or stirring does not begin, and does not measure, while a job has them', async () => {
    const lab = await givenSessionLab()
    const id = idOf(await lab.begin('od90', 'standards'))
    await lab.answerAll(id, [{}, {}, {}, {}])
    await lab.startJob('stirring', {})
    await expect(lab.begin('stirring', 'dc_based')).rejects.toThrow('stirring runs')
    await expect(lab.begin('od90', 'standards')).rejects.toThrow('stirring runs')
    await expect(lab.answer(id, { od600_value: 1 })).rejects.toThrow('stirring runs')
    await lab.lab.set('stirring', '$state', 'disconnected')
    await lab.lab.clock.advance(1000)
    expect((await lab.answer(id, { od600_value: 1 })).step.step_id).toBe('another_standard')
  })

  test('whose photodiode falls silent says so, with the light and the bar off', async () => {
    const lab = await givenSessionLab()
    const { bench } = lab.lab
    const id = idOf(await lab.begin('od90', 'standards'))
    await lab.answerAll(id, [{}, {}, {}, {}])
    bench.setFault({ name: 'unplugged', where: 'pd2' })
    await expect(lab.answer(id, { od600_value: 1 })).rejects.toThrow(refusal('hardware.no_device'))
    expect(bench.outputs.leds.A).toBe(0)
    expect(bench.outputs.pwm['17']).toBe(0)
    bench.clearFault()
    expect((await lab.answer(id, { od600_value: 1 })).step.step_id).toBe('another_standard')
  })

  test('that nobody touches for a week is over', async () => {
    const lab = await givenSessionLab()
    const id = idOf(await lab.begin('stirring', 'dc_based'))
    await lab.lab.clock.advance(6.9 * 86_400_000)
    await lab.answer(id)
    await lab.lab.clock.advance(6.9 * 86_400_000)
    expect((await lab.answer(id).catch((error: unknown) => error)) instanceof Error).toBe(false)
    const other = idOf(await lab.begin('media_pump', 'duration_based'))
    await lab.lab.clock.advance(7.1 * 86_400_000)
    expect((await lab.answer(other)).session).toMatchObject({
      status: 'aborted',
      error: 'Nothing happened for 7 days.',
    })
  })

  test('is one of fifty at most, and unknown ones are named', async () => {
    const lab = await givenSessionLab()
    await expect(lab.begin('media_pump', 'magic')).rejects.toThrow(refusal('calibration_session.unknown_protocol'))
    for (let begun = 0; begun < 50; begun++) await lab.begin('media_pump', 'duration_based')
    await expect(lab.begin('media_pump', 'duration_based')).rejects.toThrow('there may be 50')
    await expect(lab.answer('nobody')).rejects.toThrow(refusal('calibration_session.unknown'))
    await expect(lab.abort('nobody')).rejects.toThrow(refusal('calibration_session.unknown'))
  })
})

const SCRATCH = '_testing_$no_experiment_present'

import { describe, expect, test } from 'vitest'
import { dcBased } from '../../../../services/bioreactor/calibration-sessions/protocols/dc-based.js'
import { durationBased } from '../../../../services/bioreactor/calibration-sessions/protocols/duration-based.js'
import { evaluate } from '../../../../services/bioreactor/control/curve.js'
import { correlation } from '../../../../services/bioreactor/control/statistics.js'
import { configOf, factsOf, scriptedExecutor, walkSession } from '../../../support/scripted-session.js'

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'calibration_session.refused', message: expect.stringMatching(message) as string })

describe('duration_based', () => {
  const toTests = async (scripted = scriptedExecutor(), volumes: unknown = [1]) => {
    const walk = await walkSession(durationBased, 'media_pump', scripted.executor)
    for (const expected of ['intro_confirm_2', 'intro_confirm_3', 'name_input', 'volume_targets']) {
      expect(await walk.answer()).toBe(expected)
    }
    expect(await walk.answer({ mls_to_calibrate_for: volumes })).toBe('pwm_settings')
    expect(await walk.answer({ hz: 200, dc: '60' })).toBe('tubing_into_water')
    expect(await walk.answer()).toBe('prime_pump_duration')
    expect(await walk.answer({ prime_duration_s: 10 })).toBe('tracer_run')
    expect(await walk.answer()).toBe('tracer_volume')
    return { ...scripted, walk }
  }

  test('runs the pump for the times of its tracer, and stores a line through the origin', async () => {
    const { walk, orders, saved } = await toTests()
    expect(await walk.answer({ volume_ml: 0.1 })).toBe('test_run')
    const volumes = [0.74, 0.76, 0.74, 0.76, 0.89, 0.89, 1.03, 1.01, 1.03, 1.01]
    for (const [index, volume_ml] of volumes.entries()) {
      expect(await walk.answer()).toBe('test_volume')
      expect(await walk.answer({ volume_ml })).toBe(index < volumes.length - 1 ? 'test_run' : 'complete')
    }
    const runs = orders.flatMap(([name, run]) => (name === 'pump' ? [run as { seconds: number }] : []))
    expect(runs[0]).toEqual({ device: 'media_pump', seconds: 10, hz: 200, dc: 60 })
    const expected = [1, 8, 8, 8, 8, 9.5, 9.5, 11, 11, 11, 11]
    for (const [index, run] of runs.slice(1).entries()) expect(run.seconds).toBeCloseTo(expected[index] ?? 0, 9)
    const slope = walk.session.result?.['stats'] as { slope: number; std_slope: number }
    expect(slope).toMatchObject({ bias: 0, std_bias: 0 })
    expect(saved()).toEqual([
      expect.objectContaining({
        calibration_type: 'simple_peristaltic_pump',
        calibration_name: 'media_pump-2026-03-04',
        curve_data_: { type: 'poly', coefficients: [slope.slope, 0] },
        hz: 200,
        dc: 60,
        voltage: 12.1,
      }),
    ])
    expect(slope.slope).toBeCloseTo(0.0932, 3)
    expect(walk.session.result).toMatchObject({
      calibration_link: { device: 'media_pump', calibration_name: 'media_pump-2026-03-04' },
      recommended_volume_range_ml: [slope.slope * 8, slope.slope * 11].map((ml) => expect.closeTo(ml, 9) as number),
      warnings: [],
    })
  })

  test('takes its times from the smallest and the largest volume', async () => {
    const { walk } = await toTests(scriptedExecutor(), '0.5, 2')
    await walk.answer({ volume_ml: 0.093 })
    const durations = walk.session.data['durations_to_test'] as number[]
    expect([durations[0], durations[4], durations[6]]).toEqual(
      [4.3010752688, 13.9784946237, 23.6559139785].map((seconds) => expect.closeTo(seconds, 9) as number),
    )
  })

  test('repeats the last test when asked to', async () => {
    const { walk, orders } = await toTests()
    await walk.answer({ volume_ml: 0.1 })
    expect(walk.step.metadata['actions']).toBeUndefined()
    await walk.answer()
    await walk.answer({ volume_ml: 7 })
    expect(walk.step.metadata).toMatchObject({
      actions: [{ inputs: { action: 'redo_last' } }],
      chart: { series: [{ points: [{ x: expect.closeTo(8, 9) as number, y: 7 }] }] },
    })
    const before = orders.length
    expect(await walk.answer({ action: 'redo_last' })).toBe('test_volume')
    expect(orders).toHaveLength(before + 1)
    expect(walk.session.data['results']).toEqual([])
  })

  test('refuses a tracer after which a test would take too long, and goes on from there', async () => {
    const { walk } = await toTests()
    await expect(walk.answer({ volume_ml: 0.0001 })).rejects.toThrow(refusal(/the longest test would take 11000 s/))
    expect(walk.step.step_id).toBe('tracer_volume')
    expect(await walk.answer({ volume_ml: 0.1 })).toBe('test_run')
  })

  test('stays where it is when the pump does not run', async () => {
    const scripted = scriptedExecutor({ pump: async () => Promise.reject(new Error('busy')) })
    const walk = await walkSession(durationBased, 'media_pump', scripted.executor)
    for (let step = 0; step < 7; step++) await walk.answer()
    expect(walk.step.step_id).toBe('prime_pump_duration')
    await expect(walk.answer()).rejects.toThrow('busy')
    expect(walk.step.step_id).toBe('prime_pump_duration')
  })

  test('asks before it replaces one, and for names that a file can have', async () => {
    const { executor } = scriptedExecutor({ names: async () => ['taken'] })
    const walk = await walkSession(durationBased, 'media_pump', executor)
    for (let step = 0; step < 3; step++) await walk.answer()
    for (const calibration_name of ['../x', '.hidden', '-x', 'a  b', 'é', 'x'.repeat(256)]) {
      await expect(walk.answer({ calibration_name })).rejects.toThrow(refusal(/^calibration_name is/))
    }
    expect(await walk.answer({ calibration_name: 'taken' })).toBe('name_overwrite_confirm')
    expect(await walk.answer()).toBe('name_input')
    expect(walk.step.fields[0]?.default).toBe('taken')
    await walk.answer({ calibration_name: 'taken' })
    expect(await walk.answer({ overwrite: 'yes' })).toBe('volume_targets')
  })

  test('needs the pump in the configuration', async () => {
    const facts = factsOf({ config: configOf({ PWM: { '1': 'stirring' } }) })
    await expect(walkSession(durationBased, 'media_pump', scriptedExecutor().executor, facts)).rejects.toThrow(
      refusal(/No PWM channel is labelled media/),
    )
  })

  test('warns of volumes that fall', () => {
    expect(correlation([8, 8, 9.5, 11, 11], [0.74, 0.76, 0.89, 1.03, 1.01])).toBeCloseTo(0.9971317294, 9)
    expect(correlation([1, 2], [2, 1])).toBe(-1)
  })
})

describe('dc_based', () => {
  const duties = [39.9, 34.875, 29.85, 24.825, 19.8]
  const sequence = [...duties, ...[...duties].reverse(), ...duties]

  test('measures down, up and down, leaves out where the bar stood, and stores a spline', async () => {
    const scripted = scriptedExecutor({
      stirringRun: async (given) => {
        expect(given).toEqual(sequence)
        return given.map((duty) => (duty < 20 ? 0 : 18 * (duty - 3)))
      },
    })
    const walk = await walkSession(dcBased, 'stirring', scripted.executor)
    expect(await walk.answer()).toBe('run_calibration')
    expect(await walk.answer()).toBe('complete')
    const [stored] = scripted.saved() as {
      recorded_data: { x: number[] }
      curve_data_: Parameters<typeof evaluate>[0]
    }[]
    expect(stored).toMatchObject({
      calibration_type: 'simple_stirring',
      calibration_name: 'stirring-calibration-2026-03-04_05-06',
      x: 'DC %',
      y: 'RPM',
      pwm_hz: 200,
      voltage: 12.1,
    })
    expect(stored?.recorded_data.x).toEqual(sequence.filter((duty) => duty > 20))
    expect(stored === undefined ? 0 : evaluate(stored.curve_data_, 30)).toBeCloseTo(486, 3)
  })

  test('says so when the bar never turned', async () => {
    const { executor, saved } = scriptedExecutor({ stirringRun: async (given) => given.map(() => 0) })
    const walk = await walkSession(dcBased, 'stirring', executor)
    await walk.answer()
    await expect(walk.answer()).rejects.toThrow(refusal(/did not turn/))
    expect(saved()).toEqual([])
  })
})

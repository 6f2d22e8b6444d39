import { describe, expect, test } from 'vitest'
import { builtInModels } from '../../../../services/bioreactor/board/hardware-tables.js'
import { findModel } from '../../../../services/bioreactor/board/models.js'
import type {
  AnyEstimator,
  HeldTemperature,
} from '../../../../services/bioreactor/calibration-sessions/executor-port.js'
import { biasTrim } from '../../../../services/bioreactor/calibration-sessions/protocols/bias-trim.js'
import { fusionOffset } from '../../../../services/bioreactor/calibration-sessions/protocols/fusion-offset.js'
import { fusionStandards } from '../../../../services/bioreactor/calibration-sessions/protocols/fusion-standards.js'
import { standards } from '../../../../services/bioreactor/calibration-sessions/protocols/standards.js'
import { fuseOd } from '../../../../services/bioreactor/control/od/fused-od.js'
import { shiftBetween, shiftFusion } from '../../../../services/bioreactor/control/od/shift-fusion.js'
import { configOf, factsOf, scriptedExecutor, THREE_ANGLES, walkSession } from '../../../support/scripted-session.js'

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'calibration_session.refused', message: expect.stringMatching(message) as string })

/** V at three angles of a made-up culture. */
const seen = (od: number) => ({ '2': 0.02 + 0.25 * od, '3': 0.03 + 0.3 * od, '4': 0.01 + 0.2 * od })

describe('standards', () => {
  test('calibrates each photodiode with the same standards, the blank last', async () => {
    let od = 0
    const scripted = scriptedExecutor({ standard: async () => seen(od) })
    const facts = factsOf({ config: configOf(THREE_ANGLES) })
    const walk = await walkSession(standards, 'od', scripted.executor, facts)
    expect(await walk.answer()).toBe('name_input')
    expect(await walk.answer({ calibration_name: 'c1' })).toBe('channel_confirm')
    expect(await walk.answer()).toBe('rpm_input')
    expect(await walk.answer({ rpm: 400 })).toBe('place_standard')
    for (const value of [1, 7, 0.5, 0.1]) {
      od = value
      expect(await walk.answer()).toBe('measure_standard')
      expect(await walk.answer({ od600_value: value })).toBe('another_standard')
      // 7 was a slip.
      expect(await walk.answer(value === 7 ? { action: 'redo_last' } : {})).toBe('place_standard')
    }
    od = 2
    await walk.answer()
    await walk.answer({ od600_value: 2 })
    expect(await walk.answer({ next_action: 'continue to blank (media only)' })).toBe('place_blank')
    expect(await walk.answer()).toBe('measure_blank')
    od = 0
    expect(await walk.answer({ od600_blank: 0 })).toBe('complete')
    expect(walk.session.result?.['calibrations']).toEqual([
      { device: 'od90', calibration_name: 'c1', path: '/od90/c1.yaml' },
      { device: 'od45', calibration_name: 'c1', path: '/od45/c1.yaml' },
      { device: 'od135', calibration_name: 'c1', path: '/od135/c1.yaml' },
    ])
    const x = [1, 0.5, 0.1, 2, 0]
    expect(scripted.saved()).toEqual([
      expect.objectContaining({
        calibration_type: 'od600',
        angle: '90',
        pd_channel: '2',
        ir_led_intensity: 80,
        recorded_data: { x, y: x.map((value) => seen(value)['2']) },
      }),
      expect.objectContaining({ angle: '45', pd_channel: '3' }),
      expect.objectContaining({ angle: '135', pd_channel: '4' }),
    ])
  })

  test('of two photodiodes at one angle stores both', async () => {
    const scripted = scriptedExecutor({ standard: async () => ({ '2': Math.random(), '3': Math.random() }) })
    const config = configOf({ 'od_config.photodiode_channel': { '1': 'REF', '2': '90', '3': '90' } })
    const walk = await walkSession(standards, 'od90', scripted.executor, factsOf({ config }))
    for (const inputs of [{}, { calibration_name: 'c' }, {}, {}, {}, { od600_value: 1 }]) await walk.answer(inputs)
    await walk.answer({ next_action: 'continue to blank (media only)' })
    await walk.answer()
    await walk.answer()
    expect(scripted.saved()).toMatchObject([{ calibration_name: 'c' }, { calibration_name: 'c-pd3' }])
  })

  test.each([
    ['a numeric intensity', { 'od_reading.config': { ir_led_intensity: 'auto' } }, /'auto'/],
    ['a reference', { 'od_config.photodiode_channel': { '2': '90' } }, /REF/],
    ['its angle', { 'od_config.photodiode_channel': { '1': 'REF', '2': '45' } }, /angle of od90/],
  ])('needs %s', async (_, sections, message) => {
    const facts = factsOf({ config: configOf(sections) })
    await expect(walkSession(standards, 'od90', scriptedExecutor().executor, facts)).rejects.toThrow(refusal(message))
  })
})

const XR = findModel(builtInModels, 'pioreactor_20ml_XR', '1.5')
const xrFacts = factsOf({ config: configOf(THREE_ANGLES), model: XR })

/** Readings of four samples by angle. */
const observed = (od: number) =>
  [0.99, 1, 1.01, 1].map((share) => ({
    '45': share * (0.03 + 0.3 * od),
    '90': share * (0.02 + 0.25 * od),
    '135': share * (0.01 + 0.2 * od),
  }))

async function fittedEstimator() {
  let od = 0
  const scripted = scriptedExecutor({ fusionObservation: async () => observed(od) })
  const walk = await walkSession(fusionStandards, 'od_fused', scripted.executor, xrFacts)
  for (const inputs of [{}, {}, { rpm: 500 }]) await walk.answer(inputs)
  for (const value of [0.05, 0.2, 0.8, 2]) {
    od = value
    expect(await walk.answer()).toBe('measure_standard')
    expect(await walk.answer({ od_value: value })).toBe('record_observation')
    expect(await walk.answer()).toBe('remove_observation')
    expect(await walk.answer()).toBe('another_standard')
    if (value < 2) await walk.answer({ another: true })
    // Three are too few, which costs nothing.
    if (value === 0.8) expect(walk.step.step_id).toBe('place_standard')
  }
  expect(await walk.answer({ another: 'no' })).toBe('complete')
  const [saved] = scripted.saved() as AnyEstimator[]
  const estimator = saved && { ...saved, calibrated_on_pioreactor_unit: 'u2', created_at: '2026-03-04T05:06:07Z' }
  if (estimator === undefined) throw new Error('No estimator was stored.')
  return { estimator, walk }
}

describe('od_fusion_standards', () => {
  test('fits an estimator that tells the optical density of what it has not seen', async () => {
    const { estimator, walk } = await fittedEstimator()
    expect(estimator).toMatchObject({
      estimator_type: 'od_fused_estimator',
      estimator_name: 'od-fused-estimator-2026-03-04',
      ir_led_intensity: 80,
      angles: ['45', '90', '135'],
      recorded_data: {
        by_angle: { '45': { x: [0.05, 0.2, 0.8, 2].map((od) => expect.closeTo(Math.log10(od), 9) as number) } },
      },
    })
    expect(fuseOd(estimator as never, observed(0.5)[1] ?? {})?.od).toBeCloseTo(0.5, 1)
    expect(walk.session.result).toMatchObject({ device: 'od_fused', estimator_name: 'od-fused-estimator-2026-03-04' })
  })

  test('with three standards says that a fourth is needed, and goes on', async () => {
    const { executor } = scriptedExecutor({ fusionObservation: async () => observed(0.5) })
    const walk = await walkSession(fusionStandards, 'od_fused', executor, xrFacts)
    for (const inputs of [{}, {}, {}, {}, { od_value: 0.5 }, {}, {}]) await walk.answer(inputs)
    await expect(walk.answer({ another: false })).rejects.toThrow('at least 4 are needed')
    expect(await walk.answer({ another: true })).toBe('place_standard')
  })

  test('needs an XR model and all three angles', async () => {
    const { executor } = scriptedExecutor()
    await expect(walkSession(fusionStandards, 'od_fused', executor)).rejects.toThrow(refusal(/XR/))
    const config = configOf({ 'od_config.photodiode_channel': { '1': 'REF', '2': '90', '3': '45' } })
    await expect(walkSession(fusionStandards, 'od_fused', executor, { ...xrFacts, config })).rejects.toThrow(
      refusal(/135/),
    )
  })
})

describe('od_fusion_offset', () => {
  test('shifts the chosen estimator so that it sees both standards as they are', async () => {
    const { estimator } = await fittedEstimator()
    // This unit sees everything as if it were denser.
    const truth = (od: number): number => 1.3 * od ** 1.1
    let od = 0
    const scripted = scriptedExecutor({
      fusionObservation: async () => observed(truth(od)),
      names: async () => [estimator.estimator_name],
    })
    scripted.stored.set(estimator.estimator_name, estimator)
    const walk = await walkSession(fusionOffset, 'od_fused', scripted.executor, xrFacts)
    await walk.answer()
    expect(walk.step.fields[0]?.options).toEqual(['u1'])
    expect(await walk.answer()).toBe('select_estimator')
    expect(await walk.answer({ source_estimator_name: estimator.estimator_name })).toBe('name')
    expect(await walk.answer()).toBe('rpm')
    await walk.answer()
    for (const value of [0.1, 1]) {
      od = value
      await walk.answer()
      await walk.answer({ standard_od: value })
      expect(await walk.answer()).toBe('remove_standard')
      await walk.answer()
    }
    expect(walk.session).toMatchObject({
      status: 'complete',
      result: {
        source_estimator: estimator.estimator_name,
        source_unit: 'u1',
        scale_logc: expect.closeTo(1 / 1.1, 1) as number,
      },
    })
    const [stored] = scripted.saved() as AnyEstimator[]
    expect(stored).toMatchObject({
      estimator_name: 'od-fused-estimator-2026-03-04-offset-2026-03-04',
      recorded_data: {
        transform: { type: 'logc_affine', source_unit: 'u1', source_ir_led_intensity: 80 },
        standards: [{ standard_od: 0.1 }, { standard_od: 1 }],
        base_recorded_data: { by_angle: expect.anything() as unknown },
      },
    })
    const seenAs = (value: number): number => fuseOd(stored as never, observed(truth(value))[1] ?? {})?.od ?? 0
    expect(seenAs(0.1) / 0.1).toBeCloseTo(1, 1)
    expect(seenAs(1)).toBeCloseTo(1, 1)
  })

  test('without any estimator goes back', async () => {
    const walk = await walkSession(fusionOffset, 'od_fused', scriptedExecutor().executor, xrFacts)
    await walk.answer()
    await walk.answer()
    expect(walk.step).toMatchObject({ step_id: 'select_estimator', step_type: 'info' })
    expect(await walk.answer()).toBe('select_worker')
  })

  test('shifts curves as the reference does', () => {
    const curve = { type: 'akima' as const, knots: [-2, 0], coefficients: [[1, 0.5, 0.25, 0.125]] }
    const before = {
      angles: ['45'],
      mu_splines: { '45': curve },
      sigma_splines_log: { '45': curve },
      min_logc: -2,
      max_logc: 1,
      sigma_floor: 0.04,
      low_conc_scales: {},
    }
    const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 9) as number)
    expect(shiftFusion(before, { scale: 1.1, offset: -0.05 }).mu_splines['45']).toEqual({
      type: 'akima',
      knots: near([-2.25, -0.05]),
      coefficients: [near([1, 0.4545454545, 0.2066115702, 0.0939143501])],
    })
    const shift = shiftBetween({ standardOd: 0.2, estimatedOd: 0.25 }, { standardOd: 2, estimatedOd: 1.7 })
    expect(shift).toEqual({
      scale: expect.closeTo(1.2011883413, 9) as number,
      offset: expect.closeTo(0.024217438, 9) as number,
    })
    expect(shift === null ? null : shiftFusion(before, shift)).toMatchObject({
      min_logc: expect.closeTo(-2.3781592446, 9) as number,
      max_logc: expect.closeTo(1.2254057794, 9) as number,
    })
    const one = { standardOd: 1, estimatedOd: 1 }
    expect(shiftBetween(one, { standardOd: 2, estimatedOd: 1 })).toBeNull()
    expect(shiftBetween(one, { standardOd: 2, estimatedOd: 0.5 })).toBeNull()
    expect(shiftBetween(one, one)).toBeNull()
  })
})

describe('fir_temperature_bias_trim', () => {
  const base = { estimator_type: 'fir_temperature_estimator', estimator_name: 'seed', w_obj: 1, user_bias_c: 0.3 }
  let seen: HeldTemperature = { estimatedC: 30, driftCPerMin: null, thermostatC: null }
  const trim = (more = {}) =>
    scriptedExecutor({ activeEstimator: async () => base, heldTemperature: async () => seen, ...more })

  test('waits until it is steady, and adds what the estimate is wrong by to the bias', async () => {
    const scripted = trim()
    const walk = await walkSession(biasTrim, 'temperature_fir', scripted.executor)
    expect(await walk.answer()).toBe('target')
    await expect(walk.answer({ target_temperature: 79 })).rejects.toThrow('at most 78')
    expect(await walk.answer({ target_temperature: 37 })).toBe('stabilize')
    for (const unsteady of [
      { estimatedC: 38, driftCPerMin: null, thermostatC: 37 },
      { estimatedC: 38, driftCPerMin: 0.03, thermostatC: 37 },
      { estimatedC: 37, driftCPerMin: 0, thermostatC: 37.4 },
      { estimatedC: 37, driftCPerMin: 0, thermostatC: null },
    ]) {
      seen = unsteady
      expect(await walk.answer()).toBe('stabilize')
    }
    seen = { estimatedC: 38, driftCPerMin: -0.02, thermostatC: 36.8 }
    expect(await walk.answer()).toBe('probe')
    seen = { ...seen, estimatedC: 37.1 }
    expect(await walk.answer({ measured_temperature: 36.6 })).toBe('complete')
    expect(scripted.saved()).toEqual([
      {
        ...base,
        estimator_name: 'seed-bias-trim-2026-03-04',
        user_bias_c: expect.closeTo(0.3 + 36.6 - 37.1, 9) as number,
      },
    ])
    expect(walk.session.result).toMatchObject({
      base_estimator_name: 'seed',
      measured_temperature: 36.6,
      estimated_temperature: 37.1,
    })
  })

  test('gives up after an hour and a half', async () => {
    const walk = await walkSession(biasTrim, 'temperature_fir', trim().executor)
    seen = { estimatedC: 30, driftCPerMin: 0, thermostatC: 30 }
    await walk.answer()
    await walk.answer()
    expect(await walk.answer({}, new Date('2026-03-04T06:36:00Z'))).toBe('stabilize')
    expect(await walk.answer({}, new Date('2026-03-04T06:37:00Z'))).toBe('ended')
    expect(walk.session).toMatchObject({ status: 'failed', error: expect.stringContaining('90 min') as string })
  })

  test('fails when the heater does not start, and needs something to trim', async () => {
    const holdTemperature = async () => Promise.reject(Object.assign(new Error('deaf')))
    const walk = await walkSession(biasTrim, 'temperature_fir', trim({ holdTemperature }).executor)
    await walk.answer()
    expect(await walk.answer()).toBe('ended')
    expect(walk.session.status).toBe('failed')
    await expect(walkSession(biasTrim, 'temperature_fir', scriptedExecutor().executor)).rejects.toThrow(
      refusal(/nothing to trim/),
    )
  })
})

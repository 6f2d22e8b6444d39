import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SessionView } from '../../../../events/bioreactor/calibration-sessions.js'
import { createSessionWorld, givenSessionLab, type SessionLab } from '../../../support/session-lab.js'

const idOf = ({ session }: SessionView): string => session.session_id

/** Somebody who reads the measuring glass and empties it. */
async function calibratePump(lab: SessionLab, device: string): Promise<SessionView> {
  const { bench } = lab.lab
  const id = idOf(await lab.begin(device, 'duration_based'))
  bench.pumpIntoGlass(true)
  await lab.answerAll(id, [{}, {}, {}, {}, { mls_to_calibrate_for: '0.5, 1' }, {}, {}, {}])
  const readGlass = (): number => {
    const { glass_ml } = bench.truth
    bench.pumpIntoGlass(true)
    return Number(glass_ml.toFixed(3))
  }
  readGlass()
  await lab.answer(id)
  let view = await lab.answer(id, { volume_ml: readGlass() })
  while (view.session.status === 'in_progress') {
    await lab.answer(id)
    view = await lab.answer(id, { volume_ml: readGlass() })
  }
  bench.pumpIntoGlass(false)
  return view
}

describe('the pump protocol', () => {
  test('calibrates pumps so that a chemostat doses what it is asked for, within 2 %', async () => {
    const pumpMlPerS = { media: 0.121, alt_media: 0.08, waste: 0.14 }
    const lab = await givenSessionLab(createSessionWorld({ parameters: { pumpMlPerS } }))
    const { bench, book } = lab.lab
    const view = await calibratePump(lab, 'media_pump')
    expect(view.session).toMatchObject({ status: 'complete', step_id: 'complete' })
    await calibratePump(lab, 'waste_pump')
    expect(await lab.stores.calibrations.active('media_pump')).toMatchObject({
      calibration_type: 'simple_peristaltic_pump',
      calibrated_on_pioreactor_unit: 'u1',
    })
    expect(bench.truth.media_in_ml).toBe(0)
    expect(lab.lab.published('dosing_events')).toEqual([])
    const told = lab.lab.published('dosing_events', '_testing_$no_experiment_present')
    expect(told.length).toBeGreaterThan(20)
    expect(told.every((text) => text.includes('"source_of_event":"pump_calibration"'))).toBe(true)

    const asked = { exchange_volume_ml: 0.5, doses: 12 }
    await lab.startJob('dosing_automation', { automation_name: 'chemostat', exchange_volume_ml: 0.5, duration: 1 })
    const dosed = (): number => book.liquid('exp').added_ml['media'] ?? 0
    for (let dose = 1; dose <= asked.doses; dose++) {
      await lab.until(() => dosed() > dose * asked.exchange_volume_ml - 0.01)
      // The pump stands.
      await lab.until(() => bench.outputs.pwm['13'] === 0)
    }
    const wanted = asked.doses * asked.exchange_volume_ml
    expect(Math.abs(bench.truth.media_in_ml / wanted - 1)).toBeLessThan(0.02)
  })
})

describe('the stirring protocol', () => {
  test('makes a motor unlike others reach its speed at once', async () => {
    const lab = await givenSessionLab(createSessionWorld({ motorGain: 1.6 }))
    const { bench, clock, published } = lab.lab
    const id = idOf(await lab.begin('stirring', 'dc_based'))
    const view = await lab.answerAll(id, [{}, {}])
    expect(view.session).toMatchObject({ status: 'complete' })
    expect(
      published('stirring_calibration/percent_progress', '_testing_$no_experiment_present')
        .filter((text) => text !== '')
        .at(-1),
    ).toBe('100')
    expect(bench.outputs.pwm['17']).toBe(0)
    await lab.startJob('stirring', { target_rpm: 600 })
    await clock.advance(5000)
    expect(bench.truth.rpm).toBeGreaterThan(570)
    expect(bench.truth.rpm).toBeLessThan(640)
    await clock.advance(120_000)
    expect(Math.abs(bench.truth.rpm / 600 - 1)).toBeLessThan(0.05)
  })
})

describe('the OD protocol', () => {
  test('makes readings that are within 5 % of the optical density in the vial', async () => {
    const lab = await givenSessionLab()
    const { bench, clock } = lab.lab
    const id = idOf(await lab.begin('od90', 'standards'))
    await lab.answerAll(id, [{}, { calibration_name: 'mine' }, {}])
    for (const od600_value of [2, 1.5, 1, 0.6, 0.3, 0.15, 0.07]) {
      bench.placeStandard(od600_value)
      await lab.answerAll(id, [{}, { od600_value }, {}])
    }
    // The last answer led to one more standard, which is skipped by measuring the thinnest again.
    bench.placeStandard(0.07)
    await lab.answerAll(id, [{}, { od600_value: 0.07 }])
    await lab.answer(id, { next_action: 'continue to blank (media only)' })
    bench.placeStandard(0)
    const view = await lab.answerAll(id, [{}, { od600_blank: 0 }])
    expect(view.session.result).toMatchObject({ calibrations: [{ device: 'od90', calibration_name: 'mine' }] })
    expect(bench.outputs.leds.A).toBe(0)
    for (const od of [0.1, 0.45, 0.8, 1.7]) {
      bench.placeStandard(od)
      const experiment = `exp-${od}`
      await lab.startJob('stirring', {}, experiment)
      await lab.startJob('od_reading', {}, experiment)
      await clock.advance(60_000)
      const { od: read, calibrated } = JSON.parse(lab.lab.published('od_reading/od2', experiment).at(-1) ?? '') as {
        od: number
        calibrated: number
      }
      expect(calibrated).toBe(1)
      expect(Math.abs(read / od - 1), `OD ${od} was read as ${read}`).toBeLessThan(0.05)
      for (const job of ['od_reading', 'stirring']) await lab.lab.set(job, '$state', 'disconnected', experiment)
      await clock.advance(5000)
    }
  })
})

describe('the protocols of fused optical density', () => {
  test('fit an estimator to this vessel, and shift it to what two standards say', async () => {
    const lab = await givenSessionLab(createSessionWorld({ modelName: 'pioreactor_20ml_XR', modelVersion: '1.5' }))
    const { bench, clock, context } = lab.lab
    const channels = ['1=REF', '2=90', '3=45', '4=135']
    writeFileSync(join(context.dotPioreactor, 'config.ini'), `[od_config.photodiode_channel]\n${channels.join('\n')}\n`)

    const fitting = idOf(await lab.begin('od_fused', 'od_fusion_standards'))
    await lab.answerAll(fitting, [{}, { estimator_name: 'own' }, { rpm: 400 }])
    const levels = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5]
    let view: SessionView | null = null
    for (const od_value of levels) {
      bench.placeStandard(od_value)
      const another = od_value !== levels.at(-1)
      view = await lab.answerAll(fitting, [{}, { od_value }, {}, {}, { another }])
    }
    expect(view?.session.result).toMatchObject({ device: 'od_fused', estimator_name: 'own' })

    // As if the standards said that everything is a fifth denser.
    const shifting = idOf(await lab.begin('od_fused', 'od_fusion_offset'))
    await lab.answerAll(shifting, [
      {},
      {},
      { source_estimator_name: 'own' },
      { estimator_name: 'shifted' },
      { rpm: 400 },
    ])
    for (const od of [0.15, 1.2]) {
      bench.placeStandard(od)
      view = await lab.answerAll(shifting, [{}, { standard_od: 1.2 * od }, {}, {}])
    }
    expect(view?.session.result).toMatchObject({ estimator_name: 'shifted', source_estimator: 'own' })
    expect(await lab.stores.estimators.activeName('od_fused')).toBe('shifted')
    expect(bench.outputs.leds.A).toBe(0)

    bench.placeStandard(0.5)
    await lab.startJob('stirring', {})
    await lab.startJob('od_reading', {})
    await clock.advance(60_000)
    const { od_fused } = JSON.parse(lab.lab.published('od_reading/od_fused').at(-1) ?? '') as { od_fused: number }
    expect(Math.abs(od_fused / 0.6 - 1), `OD 0.6 was read as ${od_fused}`).toBeLessThan(0.05)
  })
})

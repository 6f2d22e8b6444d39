import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Estimator } from '../../../../events/bioreactor/estimators.js'
import { SEED_INFRARED_ESTIMATOR } from '../../../../services/bioreactor/control/temperature/infrared.js'
import { createSessionWorld, startSessionLab } from '../../../support/session-lab.js'

const SEED: Estimator = {
  ...SEED_INFRARED_ESTIMATOR,
  estimator_type: 'fir_temperature_estimator',
  estimator_name: 'seed',
  calibrated_on_pioreactor_unit: 'seed',
  created_at: '2026-02-18T00:00:00Z',
  y: 'temperature_c',
}

test('the trim of the infrared thermometer comes to an estimator in use, and leaves nothing on, aborted or done', async () => {
  const lab = await startSessionLab(createSessionWorld({ infrared: true }))
  const { bench, clock, context } = lab.lab
  const heating = (): number => bench.outputs.pwm['18'] ?? 0
  try {
    writeFileSync(join(context.dotPioreactor, 'config.ini'), '[temperature_fir.config]\nsample_period_s=1\n')
    await expect(lab.begin('temperature_fir', 'fir_temperature_bias_trim')).rejects.toThrow('nothing to trim')
    await lab.run(lab.stores.estimators.save('temperature_fir', SEED, { activate: true }))
    const { session } = await lab.begin('temperature_fir', 'fir_temperature_bias_trim')
    const id = session.session_id
    await lab.answer(id)
    const heated = await lab.answer(id, { target_temperature: 30 })
    expect(heated.session).toMatchObject({ status: 'in_progress', step_id: 'stabilize' })
    let view = heated
    for (let look = 0; view.step.step_id === 'stabilize'; look++) {
      expect(look).toBeLessThan(90)
      await clock.advance(60_000)
      view = await lab.answer(id)
    }
    expect(view.step.step_id).toBe('probe')
    // Somebody reads a good thermometer.
    const { culture_c } = bench.truth
    const done = await lab.answer(id, { measured_temperature: culture_c })
    expect(done.session.status).toBe('complete')
    expect([heating(), bench.outputs.pwm['17']]).toEqual([0, 0])
    expect(await lab.stores.estimators.active('temperature_fir')).toMatchObject({
      estimator_name: 'seed-bias-trim-2026-01-02',
      user_bias_c: done.session.result?.['user_bias_c'],
    })
    expect(Math.abs(culture_c - 30)).toBeLessThan(0.5)

    const again = await lab.begin('temperature_fir', 'fir_temperature_bias_trim')
    await lab.answer(again.session.session_id)
    await lab.answer(again.session.session_id, { target_temperature: 30 })
    await lab.until(() => heating() > 0)
    await lab.abort(again.session.session_id)
    expect(heating()).toBe(0)
    expect(bench.outputs.pwm['17']).toBe(0)
  } finally {
    await lab.end()
  }
})

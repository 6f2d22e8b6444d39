import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { calibrationOfVial, estimatorOfVial, startVialLab, type VialLab } from '../../../support/vial-lab.js'

/** A vessel with three angles, and a culture of which the truth is known. */
const XR = { modelName: 'pioreactor_20ml_XR', modelVersion: '1.5', culture: { od: 0.5 } } as const
const ANGLES = {
  config_overrides: [
    ['3', '45'],
    ['4', '135'],
  ].map(([channel = '', angle = '']) => ['od_config.photodiode_channel', channel, angle]),
}

let lab: VialLab
beforeEach(async () => {
  lab = await startVialLab(XR)
})
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

const published = (setting: string): string[] => lab.published(`od_reading/${setting}`)
const fused = () =>
  published('od_fused')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as { od_fused: number; timestamp: string; quality?: string })
const read = async (more = ANGLES, options = {}): Promise<void> => {
  expect(await lab.run('od_reading', options, more)).toMatchObject({ status: 'succeeded' })
  await lab.clock.advance(30_000)
}

describe('fused OD', () => {
  test('is that of the vial within 5 %, one for each reading, whatever is calibrated', async () => {
    lab.estimators.set('od_fused', estimatorOfVial())
    lab.calibrations.set('od90', calibrationOfVial())
    await read()
    const readings = published('ods').map((text) => (JSON.parse(text) as { timestamp: string }).timestamp)
    expect(fused().map(({ timestamp }) => timestamp)).toEqual(readings)
    for (const { od_fused, quality } of fused()) {
      expect(Math.abs(od_fused / lab.bench.truth.od - 1)).toBeLessThan(0.05)
      expect(quality).toBeUndefined()
    }
  })

  test('needs all its angles: without one there is none, and the log says which', async () => {
    lab.estimators.set('od_fused', estimatorOfVial())
    await read({ config_overrides: [] })
    expect(fused()).toEqual([])
    expect(published('ods').length).toBeGreaterThan(3)
    expect(lab.published('logs/app/warning').filter((text) => text.includes('45, 90, 135'))).toHaveLength(1)
  })

  test('is not told at another intensity than that of the estimator, which a command cannot set either', async () => {
    lab.estimators.set('od_fused', estimatorOfVial())
    await read(ANGLES, { ir_led_intensity: 70 })
    expect(fused()).toEqual([])
    expect(lab.published('logs/app/error').filter((text) => text.includes('80 %'))).toHaveLength(1)
    await lab.set('od_reading', 'ir_led_intensity', '60')
    expect(published('ir_led_intensity/set/outcome')[0]).toContain('"accepted":false')
  })

  test('at the end of what was recorded says so', async () => {
    const { max_logc, ...estimator } = estimatorOfVial()
    lab.estimators.set('od_fused', { ...estimator, max_logc: Math.log10(0.3) })
    await read()
    expect(fused().at(-1)).toMatchObject({ quality: 'clamped', od_fused: expect.closeTo(0.3, 3) as unknown })
  })

  test('and a blank exclude each other', async () => {
    lab.estimators.set('od_fused', estimatorOfVial())
    await lab.store.write('od_blank', 'exp', { 2: 0.01 })
    expect(await lab.run('od_reading', {}, ANGLES)).toMatchObject({ status: 'failed' })
  })

  test('is what the growth rate of such a vessel is told from', async () => {
    lab.estimators.set('od_fused', estimatorOfVial())
    await read()
    await lab.run('growth_rate_calculating')
    await lab.clock.advance(120_000)
    const rates = lab
      .published('growth_rate_calculating/growth_rate')
      .map((text) => JSON.parse(text) as { timestamp: string })
    expect(rates.length).toBeGreaterThan(5)
    const times = fused().map(({ timestamp }) => timestamp)
    for (const { timestamp } of rates) expect(times).toContain(timestamp)
  })
})

test('beyond its calibration the OD is the limit, and says so', async () => {
  const calibration = calibrationOfVial()
  const keep = calibration.recorded_data.x.filter((od) => od <= 0.2).length
  lab.calibrations.set('od90', {
    ...calibration,
    recorded_data: { x: calibration.recorded_data.x.slice(0, keep), y: calibration.recorded_data.y.slice(0, keep) },
  })
  await read({ config_overrides: [] })
  const last = JSON.parse(published('od2').at(-1) ?? '{}') as Record<string, unknown>
  expect(last).toMatchObject({ calibrated: 1, od: 0.2, quality: 'clamped' })
  expect(lab.published('logs/app/warning').filter((text) => text.includes('outside calibration'))).toHaveLength(1)
})

test('synthetic readings are refused with what to do instead', async () => {
  const { error } = await lab.run('od_reading', { fake_data: true })
  expect(JSON.stringify(error)).toContain('fake_data')
})

import { afterEach, describe, expect, test } from 'vitest'
import { litVolts } from '../../../../simulation/bioreactor/optics.js'
import { MemoryStore } from '../../../support/bioreactor-lab.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { calibrationOfVial, createWorld, startVialLab, type VialLab } from '../../../support/vial-lab.js'

const HOUR = 3_600_000
const PUMP_ML_PER_S = 0.0911

const labs: VialLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.end()
})

/** A culture at the best temperature of its room, read every 5 s. */
const WARM = { parameters: { roomC: 37 } } as const

async function given(...args: Parameters<typeof startVialLab>): Promise<VialLab> {
  const lab = await startVialLab(...args)
  labs.push(lab)
  return lab
}

const payloads = <T>(lab: VialLab, path: string): T[] =>
  lab
    .published(path)
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as T)

const rates = (lab: VialLab) =>
  payloads<{ growth_rate: number; timestamp: string }>(lab, 'growth_rate_calculating/growth_rate')

async function measure(lab: VialLab): Promise<void> {
  await lab.run('od_reading')
  await lab.run('growth_rate_calculating')
}

const deviation = (lab: VialLab): number =>
  Math.abs((rates(lab).at(-1)?.growth_rate ?? Number.NaN) / lab.bench.truth.growth_rate_per_hour - 1)

describe('the growth rate of the virtual vial', () => {
  test('comes within a tenth of the true one and stays there, calibrated OD within 5 %', async () => {
    const lab = await given({ ...WARM, culture: { od: 0.1, readiness: 3 } })
    lab.calibrations.set('od90', calibrationOfVial())
    await measure(lab)
    await lab.clock.advance(1.5 * HOUR)
    const off: number[] = []
    for (let minutes = 0; minutes < 60; minutes += 5) {
      await lab.clock.advance(5 * 60_000)
      off.push(deviation(lab))
      const { od } = payloads<{ od: number }>(lab, 'od_reading/od2').at(-1) ?? { od: Number.NaN }
      expect(Math.abs(od / lab.bench.truth.od - 1)).toBeLessThan(0.05)
    }
    expect(Math.max(...off)).toBeLessThan(0.1)
  })

  test('of raw readings is right with a blank', async () => {
    const lab = await given({ ...WARM, culture: { od: 0.05, readiness: 3 } })
    await lab.store.write('od_blank', 'exp', { 2: litVolts('90', 0, 0.8, 0) })
    await measure(lab)
    await lab.clock.advance(2 * HOUR)
    expect(deviation(lab)).toBeLessThan(0.1)
  })

  test('stays within a tenth while a turbidostat dilutes the culture, whose volume is kept', async () => {
    const lab = await given({ ...WARM, culture: { od: 0.45, readiness: 3 } })
    lab.calibrations.set('od90', calibrationOfVial())
    for (const name of ['media', 'alt_media', 'waste']) {
      lab.calibrations.set(`${name}_pump`, { ...pumpCalibration(name, PUMP_ML_PER_S), dc: 100 })
    }
    await measure(lab)
    const turbidostat = { target_biomass: 0.5, exchange_volume_ml: 0.5, biomass_signal: 'od' }
    await lab.run('dosing_automation', { automation_name: 'turbidostat', ...turbidostat })
    const off: number[] = []
    for (let minute = 0; minute < 120; minute++) {
      await lab.clock.advance(60_000)
      if (minute >= 90) off.push(deviation(lab))
    }
    expect(lab.bench.truth.media_in_ml).toBeGreaterThan(10)
    expect(Math.max(...off)).toBeLessThan(0.1)
  }, 120_000)
})

test('the same seed gives the same messages', async () => {
  const session = async (): Promise<unknown[]> => {
    const lab = await given(WARM)
    await measure(lab)
    await lab.clock.advance(5 * 60_000)
    return lab.broker.published.filter(({ topic }) => topic.startsWith('pioreactor/'))
  }
  const first = await session()
  expect(first.length).toBeGreaterThan(300)
  expect(await session()).toEqual(first)
})

test('a kill takes nothing of what the filter knows', async () => {
  const world = createWorld({ ...WARM, culture: { od: 0.2, readiness: 3 } })
  const store = new MemoryStore()
  const calibrated = async (store: MemoryStore): Promise<VialLab> => {
    const lab = await given({}, { store }, world)
    lab.calibrations.set('od90', calibrationOfVial())
    await measure(lab)
    return lab
  }
  const first = await calibrated(store)
  await first.clock.advance(1.5 * HOUR)
  expect(deviation(first)).toBeLessThan(0.1)
  // What is on the medium at this moment is all that is left.
  const left = store.copy()
  await first.service.stop()
  const second = await calibrated(left)
  await second.clock.advance(60_000)
  expect(rates(second).length).toBeGreaterThan(10)
  for (const { growth_rate } of rates(second)) {
    expect(Math.abs(growth_rate / second.bench.truth.growth_rate_per_hour - 1)).toBeLessThan(0.1)
  }
})

test('the end of od_reading is told, and what its next start changes is no growth', async () => {
  const lab = await given({ ...WARM, culture: { od: 0.2, readiness: 3 } })
  lab.calibrations.set('od90', calibrationOfVial())
  await measure(lab)
  await lab.clock.advance(HOUR)
  await lab.set('od_reading', '$state', 'disconnected')
  await lab.clock.advance(60_000)
  const told = payloads<{ message: string }>(lab, 'logs/app/warning').map(({ message }) => message)
  expect(told).toContainEqual(expect.stringContaining('od_reading has ended'))
  const before = rates(lab).length
  expect(lab.published('growth_rate_calculating/$state').at(-1)).toBe('ready')
  await lab.run('od_reading')
  await lab.clock.advance(30_000)
  const after = rates(lab).slice(before)
  expect(after.length).toBeGreaterThan(3)
  for (const { growth_rate } of after) {
    expect(Math.abs(growth_rate / lab.bench.truth.growth_rate_per_hour - 1)).toBeLessThan(0.1)
  }
})

test('a medium that takes nothing costs neither growth rates nor a clean end', async () => {
  class FullStore extends MemoryStore {
    override async write(): Promise<void> {
      throw new Error('no space left on device')
    }
    override async writeOnly(): Promise<void> {
      throw new Error('no space left on device')
    }
  }
  const lab = await given(WARM, { store: new FullStore() })
  lab.calibrations.set('od90', calibrationOfVial())
  await lab.run('od_reading', {}, { config_overrides: [['od_reading.config', 'ref_normalization', 'classic']] })
  await lab.run('growth_rate_calculating')
  await lab.clock.advance(180_000)
  expect(rates(lab).length).toBeGreaterThan(10)
  const before = payloads<{ message: string }>(lab, 'logs/app/warning').map(({ message }) => message)
  expect(before.filter((message) => message.includes('no space left'))).toHaveLength(1)
  await lab.set('growth_rate_calculating', '$state', 'disconnected')
  expect(lab.published('growth_rate_calculating/$state').at(-1)).toBe('disconnected')
  expect(lab.published('logs/app/error')).toEqual([])
})

test('another blank makes another OD: what counts as 1 is learned anew', async () => {
  const lab = await given(WARM)
  const complete = (): number =>
    payloads<{ message: string }>(lab, 'logs/app/info').filter(({ message }) => message.includes('are complete')).length
  await lab.store.write('od_blank', 'exp', { 2: 0.01 })
  await measure(lab)
  await lab.clock.advance(120_000)
  expect(complete()).toBe(1)
  await lab.store.write('od_blank', 'exp', { 2: 0.02 })
  await lab.clock.advance(60_000)
  expect(complete()).toBe(1)
  await lab.set('od_reading', '$state', 'disconnected')
  await lab.clock.advance(2000)
  await lab.run('od_reading')
  await lab.clock.advance(120_000)
  expect(complete()).toBe(2)
})

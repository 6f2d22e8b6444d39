import { afterEach, describe, expect, test } from 'vitest'
import { litVolts } from '../../../../simulation/bioreactor/optics.js'
import { MemoryStore } from '../../../support/bioreactor-lab.js'
import { calibrationOfVial, createWorld, startVialLab, type VialLab } from '../../../support/vial-lab.js'

const HOUR = 3_600_000
const PUMP_ML_PER_S = 0.0911

const labs: VialLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) {
    await lab.service.stop()
    lab.close()
  }
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

async function measure(lab: VialLab, options = {}): Promise<void> {
  await lab.run('od_reading', options)
  await lab.run('growth_rate_calculating')
}

/** Medium in and then as much waste out, told every 0.5 s as pumps do. */
async function exchange(lab: VialLab, ml: number): Promise<void> {
  for (const [pin, event] of [
    [13, 'add_media'],
    [12, 'remove_waste'],
  ] as const) {
    lab.bench.setPwm(pin, 100)
    for (let leftMl = ml; leftMl > 0; leftMl -= 0.5 * PUMP_ML_PER_S) {
      const volume_change = Math.min(leftMl, 0.5 * PUMP_ML_PER_S)
      await lab.clock.advance((volume_change / PUMP_ML_PER_S) * 1000)
      const timestamp = lab.clock.now().toISOString()
      const dose = { volume_change, event, source_of_event: 'test', timestamp }
      await lab.context.bus.publish('pioreactor/u1/exp/dosing_events', JSON.stringify(dose))
    }
    lab.bench.setPwm(pin, 0)
  }
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

  test('stays within a tenth through dilutions whose volumes are known', async () => {
    const lab = await given({ ...WARM, culture: { od: 0.3, readiness: 3 } })
    lab.calibrations.set('od90', calibrationOfVial())
    await lab.context.bus.publish('pioreactor/u1/exp/bioreactor/current_volume_ml', '15', { retain: true })
    await measure(lab)
    const off: number[] = []
    for (let minute = 0; minute < 180; minute++) {
      await lab.clock.advance(60_000)
      if (lab.bench.truth.od > 0.5) await exchange(lab, 0.5)
      if (minute >= 90) off.push(deviation(lab))
    }
    expect(Math.max(...off)).toBeLessThan(0.1)
  })
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

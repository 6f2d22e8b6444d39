import { afterEach, describe, expect, test } from 'vitest'
import type { DosingEvent } from '../../../../events/bioreactor/liquids.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { calibrationOfVial, startVialLab, type VialLab } from '../../../support/vial-lab.js'

// The jobs themselves, drivers included, on a growing culture.

const PUMP_ML_PER_S = 0.0911
const HOUR_MS = 3_600_000
const TARGET = 0.5

const labs: VialLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.end()
})

async function start(): Promise<VialLab> {
  const lab = await startVialLab({ parameters: { roomC: 30 }, culture: { od: TARGET } })
  for (const name of ['media', 'alt_media', 'waste']) {
    lab.calibrations.set(`${name}_pump`, { ...pumpCalibration(name, PUMP_ML_PER_S), dc: 100 })
  }
  lab.calibrations.set('od90', calibrationOfVial())
  labs.push(lab)
  return lab
}

const dose = (lab: VialLab, automation_name: string, options: Record<string, unknown>) =>
  lab.run('dosing_automation', { automation_name, ...options })
const sumOf = (lab: VialLab, name: string): number =>
  lab
    .published('dosing_events')
    .map((text) => JSON.parse(text) as DosingEvent)
    .reduce((sum, { event, volume_change }) => (event === name ? sum + volume_change : sum), 0)

/** The account, and the sum of the events, against what is so. */
function expectHonest(lab: VialLab): void {
  const { truth } = lab.bench
  const { volume_ml, composition } = lab.book.liquid('exp')
  expect(Math.abs(volume_ml / truth.volume_ml - 1)).toBeLessThan(0.01)
  expect(Math.abs((composition['alt_media'] ?? 0) - truth.alt_media_fraction)).toBeLessThan(0.01)
  const close = (told: number, real: number): void => expect(Math.abs(told - real)).toBeLessThan(0.01 * real + 0.02)
  close(sumOf(lab, 'add_media'), truth.media_in_ml)
  close(sumOf(lab, 'add_alt_media'), truth.alt_media_in_ml)
  close(sumOf(lab, 'remove_waste'), truth.waste_out_ml)
}

async function turbidostat(lab: VialLab): Promise<void> {
  await lab.run('od_reading', { interval: 10 })
  await dose(lab, 'turbidostat', { target_biomass: TARGET, exchange_volume_ml: 0.5, biomass_signal: 'od' })
}

describe('on the virtual vial', () => {
  test('a turbidostat holds its OD within 5 %, and the account is that of the vial', async () => {
    const lab = await start()
    await turbidostat(lab)
    const ods: number[] = []
    for (let minute = 0; minute < 180; minute++) {
      await lab.clock.advance(60_000)
      if (minute >= 60) ods.push(lab.bench.truth.od / TARGET)
    }
    expect(lab.bench.truth.media_in_ml).toBeGreaterThan(5)
    expect(Math.min(...ods)).toBeGreaterThan(0.95)
    expect(Math.max(...ods)).toBeLessThan(1.05)
    expectHonest(lab)
  }, 120_000)

  test('a chemostat dilutes within 2 % of what is asked of it', async () => {
    const lab = await start()
    await dose(lab, 'chemostat', { duration: 10, exchange_volume_ml: 0.5 })
    // The first dose is given at the start, and the one that begins now is to be complete.
    await lab.clock.advance(6 * HOUR_MS + 120_000)
    const asked = 0.5 * (1 + 6 * 6)
    expect(Math.abs(lab.bench.truth.media_in_ml / asked - 1)).toBeLessThan(0.02)
    expectHonest(lab)
  }, 120_000)

  test('a morbidostat slows down a culture that grows faster than its target', async () => {
    const lab = await start()
    await lab.run('od_reading', { interval: 15 })
    await lab.run('growth_rate_calculating')
    await dose(lab, 'pid_morbidostat', {
      duration: 20,
      target_growth_rate: 0.15,
      target_normalized_od: 1,
      skip_first_run: true,
    })
    await lab.clock.advance(3 * HOUR_MS)
    const { truth } = lab.bench
    expect(truth.alt_media_in_ml).toBeGreaterThan(0.5)
    expect(truth.volume_ml).toBeGreaterThan(14.5)
    expectHonest(lab)
  }, 120_000)

  test('a seed fixes every message', async () => {
    const messages: string[][] = []
    for (const _ of [1, 2]) {
      const lab = await start()
      await turbidostat(lab)
      await lab.clock.advance(HOUR_MS / 3)
      const published = lab.broker.published.filter(({ topic }) => topic.startsWith('pioreactor/'))
      messages.push(published.map(({ topic, payload }) => `${topic} ${payload}`))
    }
    expect(messages[0]?.length).toBeGreaterThan(500)
    expect(messages[0]).toEqual(messages[1])
  }, 120_000)
})

import { Ajv } from 'ajv'
import { expect, vi } from 'vitest'
import type { DosingEvent } from '../../events/bioreactor/liquids.js'
import { startCulture } from './culture.js'
import type { VialLab } from './vial-lab.js'

// Cultures with every job of a unit at once, and what must be so of them however long they run. Some hours of each are a test, days a soak.

const HOUR_MS = 3_600_000
const LOOK_MS = 10_000
const TARGET = 0.5

interface Range {
  readonly low: number
  readonly high: number
}

const rangeOf = (values: readonly number[]): Range => ({ low: Math.min(...values), high: Math.max(...values) })

/** One hour, looked at every 10 s. */
interface Hour {
  /** Extremes of the true optical density. */
  readonly od: Range
  /** The same of its temperature, °C. */
  readonly cultureC: Range
  /** Means of the true growth rate and of that which was published, 1/h. */
  readonly trueRate: number
  readonly toldRate: number
  /** Greatest deviation of the published rate from the true one at any time, as a share. */
  readonly rateError: number
  /** The same of the volume in the account. */
  readonly volumeError: number
}

const told = (lab: VialLab): number => {
  const text = lab.broker.retained.get('pioreactor/u1/exp/growth_rate_calculating/growth_rate')?.toString()
  return text === undefined ? Number.NaN : (JSON.parse(text) as { growth_rate: number }).growth_rate
}

async function follow(lab: VialLab, hours: number): Promise<readonly Hour[]> {
  const course: Hour[] = []
  for (let hour = 0; hour < hours; hour++) {
    const looks: { od: number; cultureC: number; trueRate: number; toldRate: number; volumeError: number }[] = []
    for (let ms = 0; ms < HOUR_MS; ms += LOOK_MS) {
      await lab.clock.advance(LOOK_MS)
      const { od, culture_c: cultureC, growth_rate_per_hour: trueRate, volume_ml } = lab.bench.truth
      const volumeError = Math.abs(lab.book.liquid('exp').volume_ml / volume_ml - 1)
      looks.push({ od, cultureC, trueRate, toldRate: told(lab), volumeError })
    }
    const of = (value: (look: (typeof looks)[number]) => number): number[] => looks.map(value)
    course.push({
      od: rangeOf(of(({ od }) => od)),
      cultureC: rangeOf(of(({ cultureC }) => cultureC)),
      trueRate: mean(of(({ trueRate }) => trueRate)),
      toldRate: mean(of(({ toldRate }) => toldRate)),
      rateError: Math.max(...of(({ trueRate, toldRate }) => Math.abs(toldRate / trueRate - 1))),
      volumeError: Math.max(...of(({ volumeError }) => volumeError)),
    })
  }
  return course
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The account, and the sum of the events, against what is so. */
function expectHonest(lab: VialLab, course: readonly Hour[]): void {
  for (const { volumeError } of course) expect(volumeError).toBeLessThan(0.01)
  const { truth } = lab.bench
  const { composition } = lab.book.liquid('exp')
  expect(Math.abs((composition['alt_media'] ?? 0) - truth.alt_media_fraction)).toBeLessThan(0.01)
  const moved = new Map<string, number>()
  for (const text of lab.published('dosing_events')) {
    const { event, volume_change } = JSON.parse(text) as DosingEvent
    moved.set(event, (moved.get(event) ?? 0) + volume_change)
  }
  const close = (event: string, real: number): void =>
    expect(Math.abs((moved.get(event) ?? 0) - real), event).toBeLessThan(0.01 * real + 0.02)
  close('add_media', truth.media_in_ml)
  close('add_alt_media', truth.alt_media_in_ml)
  close('remove_waste', truth.waste_out_ml)
}

/** Runs a culture, and ends it whatever comes of it. */
async function withCulture(
  options: Parameters<typeof startCulture>[0],
  work: (lab: VialLab) => Promise<void>,
): Promise<void> {
  const lab = await startCulture(options)
  try {
    await work(lab)
  } finally {
    await lab.end()
  }
}

/** Its optical density stays within 5 % of the target, and what the jobs publish is near what is so. */
export const expectTurbidostat = (hours: number): Promise<void> =>
  withCulture(
    {
      inoculum: { od: TARGET },
      dosing: {
        automation_name: 'turbidostat',
        target_biomass: TARGET,
        exchange_volume_ml: 0.5,
        biomass_signal: 'od',
      },
    },
    async (lab) => {
      const warmingUp = await follow(lab, 3)
      // A schema that is made anew for each reading is never let go of: processor and memory of a unit that runs for weeks.
      const compile = vi.spyOn(Ajv.prototype, 'compile')
      const settled = await follow(lab, hours - 3)
      expect(compile).not.toHaveBeenCalled()
      compile.mockRestore()
      const course = [...warmingUp.slice(1), ...settled]
      expect(Math.min(...course.map(({ od }) => od.low))).toBeGreaterThan(0.95 * TARGET)
      expect(Math.max(...course.map(({ od }) => od.high))).toBeLessThan(1.05 * TARGET)
      expect(Math.max(...settled.map(({ rateError }) => rateError))).toBeLessThan(0.1)
      expectHonest(lab, course)
      expect(lab.bench.truth.media_in_ml).toBeGreaterThan(10 * hours)
    },
  )

/** It dilutes within 2 % of what is asked, and the culture comes to grow as fast as it is diluted. Its medium is poor, so that its density stays
 * within the calibration; in a starving culture each dose is a meal, so that growth is compared by the hour. */
export const expectChemostat = (hours: number): Promise<void> =>
  withCulture(
    {
      inoculum: { od: 1.5 },
      parameters: { yieldOd: 2 },
      dosing: { automation_name: 'chemostat', duration: 10, exchange_volume_ml: 0.5 },
    },
    async (lab) => {
      const startMs = lab.clock.monotonicMs()
      const course = await follow(lab, hours)
      // The one that has begun is to be complete.
      await lab.clock.advance(120_000)
      const doses = 1 + Math.floor((lab.clock.monotonicMs() - startMs) / 600_000)
      expect(Math.abs(lab.bench.truth.media_in_ml / (0.5 * doses) - 1)).toBeLessThan(0.02)
      for (const { toldRate, trueRate } of course.slice(4)) expect(Math.abs(toldRate / trueRate - 1)).toBeLessThan(0.1)
      // It is denser than it can stay, and settles from there.
      const last = course.at(-1)?.trueRate ?? Number.NaN
      expect(last).toBeGreaterThan(0.14)
      expect(last).toBeLessThan(0.21)
      expectHonest(lab, course)
    },
  )

/** The alternative medium slows growth down from what the culture is capable of, and neither runs away nor is washed out. */
export const expectMorbidostat = (hours: number): Promise<void> =>
  withCulture(
    {
      inoculum: { od: TARGET },
      dosing: {
        automation_name: 'pid_morbidostat',
        duration: 20,
        target_growth_rate: 0.5,
        target_normalized_od: 1,
        skip_first_run: true,
      },
    },
    async (lab) => {
      const course = await follow(lab, hours)
      const settled = course.slice(3)
      for (const { od, toldRate, trueRate } of settled) {
        expect(trueRate).toBeLessThan(0.75)
        expect(od.low).toBeGreaterThan(0.3)
        expect(od.high).toBeLessThan(1)
        expect(Math.abs(toldRate / trueRate - 1)).toBeLessThan(0.1)
      }
      expect(lab.bench.truth.alt_media_in_ml).toBeGreaterThan(0.5 * hours)
      expectHonest(lab, course)
    },
  )

/** From the room's 22 °C the culture passes 37 °C by a degree at most and stays within half a degree of it. Nothing is dosed: half a millilitre of
 * cold medium takes half a degree away. */
export const expectThermostat = (hours: number): Promise<void> =>
  withCulture({ inoculum: { od: TARGET }, dosing: { automation_name: 'silent' } }, async (lab) => {
    expect(lab.bench.truth.culture_c).toBeLessThan(22.5)
    const course = await follow(lab, hours)
    expect(Math.max(...course.map(({ cultureC }) => cultureC.high))).toBeLessThan(38)
    for (const { cultureC } of course.slice(3)) {
      expect(cultureC.low).toBeGreaterThan(36.5)
      expect(cultureC.high).toBeLessThan(37.5)
    }
  })

import { describe, expect, test } from 'vitest'
import { nextPumping, recordPumped, startDose } from '../../../../services/bioreactor/control/dosing/dose-plan.js'
import {
  dilutionOf,
  evolveLiquid,
  filledVial,
  wasteMovedMl,
} from '../../../../services/bioreactor/control/dosing/liquid.js'
import { growthDosed, growthObserved, startGrowth } from '../../../../services/bioreactor/control/growth/growth-rate.js'
import { dosingAutomations } from '../../../../services/bioreactor/dosing/automations/index.js'
import type { DosingSeen, Reading } from '../../../../services/bioreactor/dosing/dosing-automation.js'
import { createRandom } from '../../../../simulation/random.js'

const PUMP_ML_PER_S = 0.0911
const INTERVAL_S = 5
const CAPACITY_ML = 20
const MAX_FILL_ML = 18
const EFFLUX_ML = 15

/** Decisions, plan, account and growth filter together on a culture that grows at a given rate, with 0.6 % of noise in its OD.
 * The true volume is kept apart from the account, drop by drop. */
class Bench {
  nowS = 1_700_000_000
  od = 0.3
  volumeMl = EFFLUX_ML
  liquid = filledVial({ volume_ml: EFFLUX_ML, efflux_tube_volume_ml: EFFLUX_ML })
  growth = startGrowth()
  readonly rates: number[] = []
  readonly ods: number[] = []
  addedMl = 0
  #nextReadingS = this.nowS
  #seen: { od: Reading | null; normalized_od: Reading | null; growth_rate: Reading | null } = {
    od: null,
    normalized_od: null,
    growth_rate: null,
  }
  #lastDoseEndedS: number | null = null
  #memory: unknown
  #news = false
  readonly #random = createRandom(5)
  readonly #behaviour
  readonly #settings: Readonly<Record<string, unknown>>
  readonly #ratePerH: (bench: Bench) => number

  constructor(name: string, settings: Record<string, unknown>, ratePerH: (bench: Bench) => number) {
    const found = dosingAutomations.find(({ definition }) => definition.automation === name) ?? expect.fail(name)
    this.#behaviour = found.behaviour
    this.#memory = found.behaviour.memory
    this.#settings = settings
    this.#ratePerH = ratePerH
  }

  hours(count: number): void {
    const endS = this.nowS + count * 3600
    const periodS = Number(this.#settings['duration'] ?? 0) * 60
    let dueS = this.nowS + (this.#settings['skip_first_run'] === true ? periodS : 2)
    while (this.nowS < endS) {
      const isDue = periodS > 0 ? this.nowS >= dueS : this.#news
      this.#news = false
      if (isDue) {
        dueS += periodS
        this.#decide()
      } else this.#pass(0.5)
    }
  }

  #decide(): void {
    const seen: DosingSeen = {
      ...this.#seen,
      nowS: this.nowS,
      od_fused: null,
      current_volume_ml: this.liquid.volume_ml,
      alt_media_fraction: this.liquid.composition['alt_media'] ?? 0,
      max_fill_ml: MAX_FILL_ML,
      auto_signal: 'od',
      lastDoseEndedS: this.#lastDoseEndedS,
    }
    const view = { seen, settings: this.#settings, memory: this.#memory, cause: 'news' as const }
    const { want, memory } = this.#behaviour.decide(view)
    if (memory !== undefined) this.#memory = memory
    if (want === undefined) return
    let progress = startDose(want, { maxSubdoseMl: 1, wasteMultiplier: 2, pauseS: 5 })
    for (;;) {
      const next = nextPumping(progress, this.liquid.volume_ml, MAX_FILL_ML)
      if (next.kind !== 'pump') break
      progress = recordPumped(progress, this.#pump(next.pump, next.pumpMl))
      this.#pass(next.pauseS)
    }
    this.#lastDoseEndedS = this.nowS
  }

  /** In half seconds, each told when it has passed. */
  #pump(pump: string, pumpMl: number): { pumpMl: number; movedMl: number } {
    let movedMl = 0
    for (let leftMl = pumpMl; leftMl > 1e-12; leftMl -= PUMP_ML_PER_S / 2) {
      const ml = Math.min(leftMl, PUMP_ML_PER_S / 2)
      this.#pass(ml / PUMP_ML_PER_S)
      if (pump === 'waste') this.volumeMl = Math.max(Math.min(this.volumeMl, EFFLUX_ML), this.volumeMl - ml)
      else {
        this.od *= this.volumeMl / (this.volumeMl + ml)
        this.volumeMl += ml
        this.addedMl += ml
      }
      const change = pump === 'waste' ? wasteMovedMl(this.liquid, ml) : ml
      const moved = { event: pump === 'waste' ? 'remove_waste' : `add_${pump}`, volume_change: change }
      const dilution = dilutionOf(this.liquid, moved)
      if (dilution !== 0) this.growth = growthDosed(this.growth, dilution)
      this.liquid = evolveLiquid(this.liquid, moved, CAPACITY_ML)
      movedMl += change
    }
    return { pumpMl, movedMl }
  }

  #pass(seconds: number): void {
    this.nowS += seconds
    this.od *= Math.exp((this.#ratePerH(this) * seconds) / 3600)
    if (this.nowS < this.#nextReadingS) return
    this.#nextReadingS += INTERVAL_S
    this.#read()
  }

  #read(): void {
    const atS = this.nowS
    const od = this.od * (1 + 0.006 * this.#random.gaussian())
    const settings = { intervalS: INTERVAL_S, warmUpReadings: 10, outlierThreshold: 5 }
    const { state, outcome } = growthObserved(this.growth, { atS, od: { '2': od } }, settings)
    this.growth = state
    this.#seen = { ...this.#seen, od: { value: od, atS } }
    if (outcome.kind === 'rate') {
      this.#seen = {
        ...this.#seen,
        normalized_od: { value: outcome.od_filtered, atS },
        growth_rate: { value: outcome.growth_rate, atS },
      }
      this.rates.push(outcome.growth_rate)
    }
    this.ods.push(this.od)
    this.#news = true
  }
}

const settled = <T>(values: readonly T[]): readonly T[] => values.slice(Math.floor(values.length / 2))

describe('for hours', () => {
  test.each([0.3, 0.8, 1.5])('a turbidostat holds its OD at %s h⁻¹', (rate) => {
    const bench = new Bench(
      'turbidostat',
      { exchange_volume_ml: 0.5, target_biomass: 0.5, biomass_signal: 'od' },
      () => rate,
    )
    bench.hours(6)
    const ods = settled(bench.ods)
    expect(Math.max(...ods)).toBeLessThan(0.5 * 1.05)
    expect(Math.min(...ods)).toBeGreaterThan(0.5 * 0.95)
    for (const found of settled(bench.rates)) expect(Math.abs(found / rate - 1)).toBeLessThan(0.1)
    expect(bench.liquid.volume_ml / bench.volumeMl).toBeCloseTo(1, 9)
    expect(bench.liquid.removed_ml).toBeCloseTo(bench.addedMl, 6)
  })

  test('a chemostat dilutes at the rate it is told', () => {
    // The denser, the slower: it settles where it grows as fast as it is diluted.
    const grow = (bench: Bench): number => 0.6 * (1 - bench.od)
    const bench = new Bench('chemostat', { duration: 20, exchange_volume_ml: 1.5 }, grow)
    bench.hours(12)
    const asked = 1.5 * 3
    expect(Math.abs(bench.addedMl / (asked * 12) - 1)).toBeLessThan(0.02)
    expect(bench.liquid.volume_ml).toBeCloseTo(EFFLUX_ML, 6)
    const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
    const rates = settled(bench.rates)
    const real = bench.ods.slice(-rates.length).map((od) => 0.6 * (1 - od))
    expect(Math.abs(meanOf(rates) / meanOf(real) - 1)).toBeLessThan(0.03)
  })

  test('a morbidostat slows the culture down to its target', () => {
    // The alternative medium stops growth altogether.
    const grow = ({ liquid }: Bench): number => 0.4 * (1 - (liquid.composition['alt_media'] ?? 0))
    const bench = new Bench(
      'pid_morbidostat',
      {
        skip_first_run: true,
        duration: 20,
        target_normalized_od: 1,
        target_growth_rate: 0.15,
        minimum_dosing_volume_ml: 0.1,
        Kp: 5,
        Ki: 0,
        Kd: 0,
      },
      grow,
    )
    bench.hours(24)
    const truth = grow(bench)
    expect(truth).toBeGreaterThan(0.1)
    expect(truth).toBeLessThan(0.25)
    expect(bench.liquid.volume_ml).toBeCloseTo(EFFLUX_ML, 6)
  })
})

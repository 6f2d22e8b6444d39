import { fullScaleCurrentA, POTENTIAL_LIMIT_V, tiaOhms } from '../device/registers.js'
import { type MeasurementWarning, shareOf } from './run-warnings.js'

/** What stands at its limit in a sample, as bits; the column `Saturated` of a CSV shows them. */
export const Saturated = { current: 1, potential: 2 } as const

/** Share of the full scale from which a value counts as saturated: the device has no over-range flag. */
const LIMIT_SHARE = 0.98
/** Share of a running average that may come from clipped conversions, before the reading counts as clipped itself. */
const CLIPPED_SHARE = 0.05
/** Conversions between two samples. */
const CONVERSIONS = 2

/** How a quantity is filtered and where it clips. */
interface Channel {
  readonly bit: number
  readonly limit: number
  /** The reading before; NaN when there is none. */
  previous: number
  /** Share of the running average that comes from clipped conversions. */
  clipped: number
}

/** Finds samples that are clipped. A reading is a running average over `filterSamples` conversions, so a current that swings beyond the
 * range and back gives readings well inside it; what entered the average is recovered from consecutive readings, and a reading of
 * which 5 % or more come from clipped conversions is clipped too. */
export class SaturationDetector {
  readonly #channels: readonly [current: Channel, potential: Channel]
  /** Weight that an average keeps from one sample to the next. */
  readonly #memory: number

  /** @param filterSamples length of the running average; 1 for readings that do not follow each other. */
  constructor(ohm: number, filterSamples: number) {
    const channel = (bit: number, fullScale: number): Channel => {
      return { bit, limit: LIMIT_SHARE * fullScale, previous: Number.NaN, clipped: 0 }
    }
    this.#channels = [
      channel(Saturated.current, fullScaleCurrentA(ohm)),
      channel(Saturated.potential, POTENTIAL_LIMIT_V),
    ]
    this.#memory = (Math.max(0, filterSamples - 1) / Math.max(1, filterSamples)) ** CONVERSIONS
  }

  /** `Saturated` bits of consecutive samples, A and V; null when none is clipped. */
  mark(current: Float32Array, potential: Float32Array): Uint8Array | null {
    let bits: Uint8Array | null = null
    for (let i = 0; i < current.length; i++) {
      const [ampere, volt] = this.#channels
      const mark = this.#look(ampere, current[i] ?? 0) | this.#look(volt, potential[i] ?? 0)
      if (mark === 0) continue
      bits ??= new Uint8Array(current.length)
      bits[i] = mark
    }
    return bits
  }

  #look(channel: Channel, reading: number): number {
    const { previous, limit, bit } = channel
    const entered = Number.isNaN(previous) ? reading : previous + (reading - previous) / (1 - this.#memory)
    channel.previous = reading
    channel.clipped *= this.#memory
    if (Math.abs(entered) >= limit) channel.clipped += 1 - this.#memory
    return Math.abs(reading) >= limit || channel.clipped >= CLIPPED_SHARE ? bit : 0
  }
}

/** How many samples there are and how many of them are clipped. */
export class SaturationCount {
  samples = 0
  saturated = 0
  #current = 0
  #potential = 0

  /** @param bits of all `count` samples; null when none is clipped. */
  add(count: number, bits: Uint8Array | null): void {
    this.samples += count
    for (const mark of bits ?? []) {
      if (mark !== 0) this.saturated += 1
      if ((mark & Saturated.current) !== 0) this.#current += 1
      if ((mark & Saturated.potential) !== 0) this.#potential += 1
    }
  }

  warnings(ohm: number): readonly MeasurementWarning[] {
    const warnings: MeasurementWarning[] = []
    if (this.#current > 0) {
      const gain = gainOf(ohm)
      const remedy =
        gain === 0
          ? 'There is no less sensitive range: make the current smaller.'
          : `Choose a less sensitive range: tia_gain ${gain - 1} (${rangeText(tiaOhms[gain - 1] ?? ohm)}) or lower.`
      const message = `The current is clipped at the full scale of tia_gain ${gain} (${rangeText(ohm)}) in ${shareOf(this.#current, this.samples)}. ${remedy}`
      warnings.push({ code: 'current_saturated', message })
    }
    if (this.#potential > 0) {
      const message = `The potential stands at the limit of the device (±${POTENTIAL_LIMIT_V} V) in ${shareOf(this.#potential, this.samples)}. Ask for less potential, or for less current.`
      warnings.push({ code: 'potential_saturated', message })
    }
    return warnings
  }
}

/** `tia_gain` of a resistance read back. */
export const gainOf = (ohm: number): number =>
  tiaOhms.reduce(
    (best, candidate, gain) =>
      Math.abs(Math.log(candidate / ohm)) < Math.abs(Math.log((tiaOhms[best] ?? ohm) / ohm)) ? gain : best,
    0,
  )

/** `±5.45 µA` */
export function rangeText(ohm: number): string {
  const ampere = fullScaleCurrentA(ohm)
  return ampere >= 1e-3
    ? `±${Number((ampere * 1e3).toPrecision(4))} mA`
    : `±${Number((ampere * 1e6).toPrecision(4))} µA`
}

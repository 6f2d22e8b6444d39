import { fullScaleCurrentA, NOMINAL_PERIOD_S } from '../device/registers.js'
import { type MeasurementWarning, shareOf } from './run-warnings.js'

/** A current counts as held within this share of what was asked, and this share of the range. */
const OF_TARGET = 0.02
const OF_RANGE = 0.001
/** Readings lag behind by 18 ms, the controller too; with them a step swings in within this time on cells up to a few kΩ. */
const SETTLE_S = 0.2
/** A smaller share of samples off the set point is not warned of. */
const NEGLIGIBLE = 0.01

/** Compares currents with what was asked for, from the time at which a step has swung in: after 0.2 s, or in the second half of
 * a shorter step. */
export class SetPointWatch {
  readonly #rangeA: number
  #judged = 0
  #off = 0
  #worst = { askedA: 0, flowingA: 0 }
  #highestV = 0

  constructor(ohm: number) {
    this.#rangeA = fullScaleCurrentA(ohm)
  }

  /** @param after samples since the step began, which has `points` of them. */
  isOff(sample: {
    readonly askedA: number
    readonly flowingA: number
    readonly potentialV: number
    readonly after: number
    readonly points: number
  }): boolean {
    const { askedA, flowingA, potentialV, after, points } = sample
    if (after < Math.min(SETTLE_S / NOMINAL_PERIOD_S, points / 2)) return false
    this.#judged += 1
    const error = Math.abs(flowingA - askedA)
    if (error <= OF_TARGET * Math.abs(askedA) + OF_RANGE * this.#rangeA) return false
    this.#off += 1
    if (error > Math.abs(this.#worst.flowingA - this.#worst.askedA)) this.#worst = { askedA, flowingA }
    if (Math.abs(potentialV) > Math.abs(this.#highestV)) this.#highestV = potentialV
    return true
  }

  warnings(): readonly MeasurementWarning[] {
    if (this.#off <= NEGLIGIBLE * this.#judged) return []
    const { askedA, flowingA } = this.#worst
    const tolerance = `${100 * OF_TARGET} % of it and ${100 * OF_RANGE} % of the range`
    const worst = `at worst ${inMicro(flowingA)} instead of ${inMicro(askedA)}, at potentials up to ${this.#highestV.toFixed(2)} V`
    const message = `The current was off its set point by more than ${tolerance} in ${shareOf(this.#off, this.#judged, 'settled samples')}: ${worst}.`
    return [{ code: 'current_not_held', message }]
  }
}

const inMicro = (ampere: number): string => `${Number((ampere * 1e6).toPrecision(3))} µA`

import type { Random } from '../random.js'
import type { Cell } from './cell.js'

/** A dummy cell of one resistor. */
export class ResistorCell implements Cell {
  currentA = 0
  potentialV = 0
  readonly #ohm: number

  constructor(ohm: number) {
    this.#ohm = ohm
  }

  step(potentialV: number, connected: boolean): void {
    this.potentialV = connected ? potentialV : 0
    this.currentA = this.potentialV / this.#ohm
  }
}

export interface RcOptions {
  readonly seriesOhm: number
  readonly parallelOhm: number
  readonly farad: number
}

/** A resistor in series with a leaking capacitor; backward Euler. */
export class RcCell implements Cell {
  currentA = 0
  potentialV = 0
  #capacitorV = 0
  readonly #seriesOhm: number
  readonly #charging: number
  readonly #leaking: number

  constructor(stepS: number, { seriesOhm, parallelOhm, farad }: RcOptions) {
    this.#seriesOhm = seriesOhm
    this.#charging = stepS / (seriesOhm * farad)
    this.#leaking = stepS / (parallelOhm * farad)
  }

  step(potentialV: number, connected: boolean): void {
    const charging = connected ? this.#charging : 0
    this.#capacitorV = (this.#capacitorV + charging * potentialV) / (1 + charging + this.#leaking)
    this.potentialV = connected ? potentialV : this.#capacitorV
    this.currentA = connected ? (potentialV - this.#capacitorV) / this.#seriesOhm : 0
  }
}

/** Drift of a floating input in V per √s. */
const OPEN_DRIFT_V = 50e-6

/** No cell: no current, and a potential that wanders. */
export class OpenLead implements Cell {
  readonly currentA = 0
  potentialV = 0
  readonly #random: Random
  readonly #driftV: number

  constructor(stepS: number, random: Random) {
    this.#random = random
    this.#driftV = OPEN_DRIFT_V * Math.sqrt(stepS)
  }

  step(): void {
    this.potentialV += this.#driftV * this.#random.gaussian()
  }
}

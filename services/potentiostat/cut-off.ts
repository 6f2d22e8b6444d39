import type { CutOffLimits, RawRows } from './plan.js'
import { NOMINAL_PERIOD_S } from './registers.js'

/** Watches rows for the limits of a measurement. */
export class CutOff {
  readonly #limits: CutOffLimits
  #chargeC = 0

  constructor(limits: CutOffLimits) {
    this.#limits = limits
  }

  /** @returns which limit these rows reach, with its value; null when none. */
  reachedBy({ current, potential }: Pick<RawRows, 'current' | 'potential'>): string | null {
    const { chargeC, potentialV } = this.#limits
    for (const [index, ampere] of current.entries()) {
      this.#chargeC += ampere * NOMINAL_PERIOD_S
      if (chargeC !== null && Math.abs(this.#chargeC) >= chargeC) return `a charge of ${chargeC} C was reached`
      const volts = potential[index] ?? 0
      if (potentialV !== null && Math.abs(volts) >= potentialV) return `a potential of ${potentialV} V was reached`
    }
    return null
  }
}

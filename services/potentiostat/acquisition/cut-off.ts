import { NOMINAL_PERIOD_S } from '../device/registers.js'
import type { CutOffLimits, Samples } from './plan.js'

/** Watches a measurement for its limits. */
export class CutOff {
  readonly #limits: CutOffLimits
  #chargeC = 0

  constructor(limits: CutOffLimits) {
    this.#limits = limits
  }

  /** @returns which limit these rows reach, with its value; null when none. */
  reachedBy({ current, potential }: Pick<Samples, 'current' | 'potential'>): string | null {
    const { chargeC = null } = this.#limits
    for (const [index, ampere] of current.entries()) {
      this.#chargeC += ampere * NOMINAL_PERIOD_S
      if (chargeC !== null && Math.abs(this.#chargeC) >= chargeC) return `a charge of ${chargeC} C was reached`
      const reached = this.reachedAt(potential[index] ?? 0)
      if (reached !== null) return reached
    }
    return null
  }

  /** @returns which limit a potential reaches; null when none. */
  reachedAt(volts: number): string | null {
    const { potentialV = null, minV = null, maxV = null } = this.#limits
    if (potentialV !== null && Math.abs(volts) >= potentialV) return `a potential of ${potentialV} V was reached`
    if (maxV !== null && volts >= maxV) return `the highest potential of ${maxV} V was reached`
    if (minV !== null && volts <= minV) return `the lowest potential of ${minV} V was reached`
    return null
  }
}

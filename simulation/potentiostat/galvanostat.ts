/** Constants of the controller in the order of register group 0x32. */
export const pidDefaults = [100, 0.01, 0.000025, 1e-11, -1e-11, 10, -10, 0.05, -0.05, 5, -5] as const

/** The firmware's incremental PID: filtered current in, potential out. Nothing is reset between runs. */
export class Galvanostat {
  targetA = 0
  error = 0
  derivative = 0
  integral = 0
  outputV = 0
  lastError = 0
  lastOutputV = 0
  /** Millisecond tick of the last evaluation. */
  evaluatedMs = 0

  /** One evaluation; the new potential in V, or null when the firmware leaves the DAC alone. `constants` as `pidDefaults`. */
  evaluate(currentA: number, nowMs: number, constants: (index: number) => number): number | null {
    const dtMs = nowMs - this.evaluatedMs
    this.evaluatedMs = nowMs
    this.error = this.targetA - currentA
    if (this.error >= constants(4) && this.error <= constants(3)) {
      this.integral = 0
      return null
    }
    this.derivative = (this.error - this.lastError) / dtMs
    this.integral = clamp(this.integral + this.error * dtMs, constants(6), constants(5))
    this.lastError = this.error
    const wanted = constants(0) * this.error + constants(1) * this.derivative + constants(2) * this.integral
    const change = clamp(wanted / dtMs, constants(8), constants(7)) * dtMs
    // Two evaluations within one millisecond: division by zero made it zero or nonsense, and the firmware skips it.
    if (dtMs === 0 || !Number.isFinite(change)) return null
    this.lastOutputV = this.outputV
    this.outputV = clamp(this.outputV + change, constants(10), constants(9))
    return this.outputV
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

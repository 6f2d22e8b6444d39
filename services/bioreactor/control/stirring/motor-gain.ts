/** One measurement of the speed at a duty cycle that had been constant for long enough. */
export interface SpeedMeasured {
  readonly targetRpm: number
  readonly measuredRpm: number
  /** What the motor had, %. */
  readonly dutyPercent: number
}

/** RPM per % of a motor, null when the measurement tells nothing: a bar that stands, or a motor without current. */
export const motorGain = ({ measuredRpm, dutyPercent }: Omit<SpeedMeasured, 'targetRpm'>): number | null =>
  measuredRpm > 0 && dutyPercent > 0 ? measuredRpm / dutyPercent : null

/** This near to the target the slow control is enough; it keeps out what noise a measurement has. */
const CLOSE_ENOUGH = 0.05
/** One measurement does not raise the duty cycle by more: a bar that hangs for a moment looks like a weak motor. */
const MAX_RAISE = 3

/** The duty cycle in % that brings a motor to the target when its speed is proportional to it, without any calibration; null when the
 * speed is near enough to be left to the slow control, or the bar stands.
 *
 * The stock control alone moves by 0.005 % per RPM every 23 s and takes minutes for 100 RPM. Friction makes a motor less than
 * proportional; the next measurement makes good what is left. */
export function learntDuty(measured: SpeedMeasured): number | null {
  const { targetRpm, measuredRpm, dutyPercent } = measured
  const gain = motorGain(measured)
  if (gain === null || Math.abs(measuredRpm - targetRpm) <= CLOSE_ENOUGH * targetRpm) return null
  return Math.min((dutyPercent * targetRpm) / measuredRpm, MAX_RAISE * dutyPercent, 100)
}

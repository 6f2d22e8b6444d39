import type { PidStep } from '../../../events/bioreactor/outputs.js'
import { clamp } from '../../../primitives/round.js'

export interface PidGains {
  readonly Kp: number
  readonly Ki: number
  readonly Kd: number
}

export interface PidSettings extends PidGains {
  readonly setpoint: number
  readonly low: number
  readonly high: number
}

/** What the controller remembers between steps. */
export interface PidState {
  /** Sum of error × dt, clamped to the output limits. */
  readonly errorSum: number
  readonly lastInput: number | null
}

export const PID_AT_REST: PidState = { errorSum: 0, lastInput: null }

export interface PidTerms {
  readonly output: number
  readonly proportional: number
  readonly integral: number
  readonly derivative: number
}

/** One step. The derivative acts on the input, so that a new setpoint gives no kick; it is 0 at the first step.
 * A new setpoint keeps the state. Source: Pioreactor 26.7 `PID`. */
export function pidStep(
  { Kp, Ki, Kd, setpoint, low, high }: PidSettings,
  { errorSum, lastInput }: PidState,
  input: number,
  dt = 1,
): { readonly state: PidState; readonly terms: PidTerms } {
  const error = setpoint - input
  const sum = clamp(low, errorSum + error * dt, high)
  const proportional = Kp * error
  const integral = Ki * sum
  const derivative = lastInput === null ? 0 : (-Kd * (input - lastInput)) / dt
  const output = clamp(low, proportional + integral + derivative, high)
  return { state: { errorSum: sum, lastInput: input }, terms: { output, proportional, integral, derivative } }
}

/** A step as it is published for those who watch the controller. */
export const pidLog = (
  { Kp, Ki, Kd, setpoint, low, high }: PidSettings,
  { output, proportional, integral, derivative }: PidTerms,
  input: number,
  of: Pick<PidStep, 'job_name' | 'target_name'>,
): PidStep => ({
  setpoint,
  output_limits_lb: low,
  output_limits_ub: high,
  Kd,
  Ki,
  Kp,
  integral,
  proportional,
  derivative,
  latest_input: input,
  latest_output: output,
  ...of,
})

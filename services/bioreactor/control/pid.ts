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
  /** Sum of error × dt, clamped to the output limits; with a Ki above 1 so that the integral alone stays within them. */
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
  const share = Math.max(1, Math.abs(Ki))
  const sum = clamp(low / share, errorSum + error * dt, high / share)
  const proportional = Kp * error
  const integral = Ki * sum
  const derivative = lastInput === null ? 0 : (-Kd * (input - lastInput)) / dt
  const output = clamp(low, proportional + integral + derivative, high)
  return { state: { errorSum: sum, lastInput: input }, terms: { output, proportional, integral, derivative } }
}

/** What a controller remembers that is asked at uneven times. */
export interface TimedPidState extends PidState {
  /** Of the last step, s; null before the first. */
  readonly atS: number | null
  readonly target: number | null
}

export const TIMED_PID_AT_REST: TimedPidState = { ...PID_AT_REST, atS: null, target: null }

/** A controller that was not asked for so many periods begins anew: what it remembers says nothing of now. */
const GAP_PERIODS = 3

/** One step by the time that has really passed. The gains are meant for one step per period; a step that comes earlier or later counts as
 * much as its time. The errors on the way to one target do not count for another.
 * @param target what the setpoint, which may be on its way there, is led to
 * @param nowS of a clock that never jumps */
export function timedPidStep(
  settings: PidSettings,
  state: TimedPidState,
  input: number,
  { target, nowS, periodS }: { readonly target: number; readonly nowS: number; readonly periodS: number },
): { readonly state: TimedPidState; readonly terms: PidTerms } {
  const periods = state.atS === null ? 0 : (nowS - state.atS) / periodS
  const goesOn = periods > 0 && periods <= GAP_PERIODS
  const errorSum = target === state.target ? state.errorSum : 0
  const before = goesOn ? { lastInput: state.lastInput, errorSum } : PID_AT_REST
  const next = pidStep(settings, before, input, goesOn ? periods : 1)
  return { state: { ...next.state, atS: nowS, target }, terms: next.terms }
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

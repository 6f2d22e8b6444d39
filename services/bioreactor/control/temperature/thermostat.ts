import { clamp } from '../../../../primitives/round.js'
import {
  type PidGains,
  type PidSettings,
  type PidTerms,
  TIMED_PID_AT_REST,
  type TimedPidState,
  timedPidStep,
} from '../pid.js'
import { heaterDuty } from './heater-safety.js'

/** What the thermostat remembers between two inferences. */
export interface ThermostatState {
  readonly pid: TimedPidState
  /** Where the ramp stands, °C; null before the first temperature. */
  readonly setpointC: number | null
}

export const THERMOSTAT_AT_REST: ThermostatState = { pid: TIMED_PID_AT_REST, setpointC: null }

export interface ThermostatStep {
  readonly state: ThermostatState
  /** For the heater, 0–100 %. */
  readonly dutyPercent: number
  readonly settings: PidSettings
  /** `output` is the change of the duty cycle that was asked for. */
  readonly terms: PidTerms
}

/** How far one inference may move the duty cycle, %. Source: Pioreactor 26.7. */
const MAX_STEP_PERCENT = 25

/** The control adds up changes of the duty cycle, so a far target overshoots by 2 to 3 °C: by the time the culture shows what the heater
 * gives, too much has been added. The setpoint goes to the target by a fifth of the way at each inference, at most 0.7 °C. */
const RAMP_SHARE = 0.2
const RAMP_C = 0.7
/** The ramp does not run away from a culture that does not follow, or that cooled while the job slept, °C. */
const MAX_LEAD_C = 2
const ARRIVED_C = 0.01

/** The setpoint for this inference, from the one before. */
export function rampSetpoint(setpointC: number | null, temperatureC: number, targetC: number): number {
  const from = clamp(temperatureC - MAX_LEAD_C, setpointC ?? temperatureC, temperatureC + MAX_LEAD_C)
  const way = targetC - from
  return Math.abs(way) < ARRIVED_C ? targetC : from + clamp(-RAMP_C, way * RAMP_SHARE, RAMP_C)
}

/** One step after a new temperature of the culture.
 * Source: Pioreactor 26.7 `thermostat`; the ramp is ours. */
export function thermostatStep(
  { pid, setpointC }: ThermostatState,
  seen: {
    readonly temperatureC: number
    readonly dutyPercent: number
    /** When it is seen, of a clock that never jumps, and how often that is, s. */
    readonly nowS: number
    readonly periodS: number
  },
  targetC: number,
  gains: PidGains,
): ThermostatStep {
  const setpoint = rampSetpoint(setpointC, seen.temperatureC, targetC)
  const settings = { ...gains, setpoint, low: -MAX_STEP_PERCENT, high: MAX_STEP_PERCENT }
  const { nowS, periodS } = seen
  const { state, terms } = timedPidStep(settings, pid, seen.temperatureC, { target: targetC, nowS, periodS })
  const dutyPercent = heaterDuty(seen.dutyPercent + terms.output)
  return { state: { pid: state, setpointC: setpoint }, dutyPercent, settings, terms }
}

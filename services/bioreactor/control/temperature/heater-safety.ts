import { clamp, roundHalfEven } from '../../../../primitives/round.js'
import type { BioreactorModel } from '../../board/hardware-tables.js'

/** Temperatures of the heater board from which heating is reduced, switched off, and the computer shut down, °C. */
export type HeaterLimits = Pick<
  BioreactorModel,
  'max_temp_to_reduce_heating' | 'max_temp_to_disable_heating' | 'max_temp_to_shutdown'
>

/** What a probe reading asks for. `dutyPercent` is to be written before anything is told to anybody; null leaves the heater as it is. */
export interface HeaterVerdict {
  readonly action: 'none' | 'reduce' | 'disable' | 'shutdown'
  readonly dutyPercent: number | null
}

/** Above this the heater board is too hot when no temperature job runs, °C. Source: Pioreactor 26.7 `monitor`. */
const MAX_UNATTENDED_C = 65
const REDUCTION = 0.9

/** Duty cycle as the heater takes it: 0–100 %, two decimals; what is no number is off. */
export const heaterDuty = (percent: number): number =>
  Number.isFinite(percent) ? roundHalfEven(clamp(0, percent, 100), 2) : 0

/** For every probe reading while a temperature job runs. A reading that is no number switches the heater off: a probe that says nothing
 * cannot say that it is too hot. Source: Pioreactor 26.7 `TemperatureAutomationJob`, strict comparisons. */
export function judgeProbe(probeC: number, dutyPercent: number, limits: HeaterLimits): HeaterVerdict {
  if (probeC > limits.max_temp_to_shutdown) return { action: 'shutdown', dutyPercent: 0 }
  if (Number.isNaN(probeC) || probeC > limits.max_temp_to_disable_heating) return { action: 'disable', dutyPercent: 0 }
  if (probeC > limits.max_temp_to_reduce_heating) {
    return { action: 'reduce', dutyPercent: heaterDuty(dutyPercent * REDUCTION) }
  }
  return { action: 'none', dutyPercent: null }
}

/** For the watchdog, which does not depend on the job: whether the computer is to be shut down. Source: Pioreactor 26.7 `monitor`. */
export const mustPowerOff = (probeC: number, isControlled: boolean, limits: HeaterLimits): boolean =>
  probeC >= limits.max_temp_to_shutdown || (!isControlled && probeC >= MAX_UNATTENDED_C)

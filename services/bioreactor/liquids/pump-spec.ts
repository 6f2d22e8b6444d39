import { defineError } from '../../../events/core/errors.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import type { Calibrations } from '../calibrations/artifact-store.js'
import { CalibrationUnsuitable, domainOf } from '../calibrations/calibrations.js'
import { type PumpCurve, UNCALIBRATED_PUMP } from '../control/dosing/pump-curve.js'
import { PartMissing } from '../errors.js'

export const PumpUncalibrated = defineError(
  'pump.uncalibrated',
  'state',
  'A volume is asked of a pump that is not calibrated.',
  {
    remediation: 'Calibrate the pump, or give a duration in s.',
  },
)

/** A pump as the unit has it. */
export interface PumpSpec {
  /** `media`, `alt_media`, `waste`, or a label of a plugin's. */
  readonly name: string
  /** Name of its dosing events. */
  readonly event: string
  /** PWM channel. */
  readonly channel: string
  readonly hz: number
  /** % */
  readonly dc: number
  readonly curve: PumpCurve
  readonly isCalibrated: boolean
}

export const WASTE = 'waste'

/** Where the pump is wired and what its active calibration says; without one, what a pump of its kind does as a rule.
 * @throws PartMissing when no PWM channel has its label; CalibrationUnsuitable. Source: Pioreactor 26.7 `pump`. */
export async function findPump(name: string, config: UnitConfig, calibrations: Calibrations): Promise<PumpSpec> {
  const channel = config.channelOf('PWM', name)
  if (channel === undefined) {
    throw new PartMissing(`No PWM channel is labelled ${name}.`, { remediation: 'Label one in section [PWM].' })
  }
  const event = name === WASTE ? 'remove_waste' : `add_${name}`
  const calibration = await calibrations.active(`${name}_pump`)
  if (calibration === null) {
    return { name, event, channel, hz: 250, dc: 100, curve: UNCALIBRATED_PUMP, isCalibrated: false }
  }
  const { curve_data_: curve, calibration_name, calibration_type: type } = calibration
  if (type !== 'simple_peristaltic_pump') {
    throw new CalibrationUnsuitable(
      `Calibration '${calibration_name}' of ${name}_pump is of type ${type}; it must be one of a pump.`,
    )
  }
  const { hz, dc } = calibration
  if (!(hz > 0 && dc > 0 && dc <= 100)) {
    throw new CalibrationUnsuitable(
      `Calibration '${calibration_name}' of ${name}_pump has hz ${hz} and dc ${dc}; hz must be above 0 Hz, dc above 0 and up to 100 %.`,
    )
  }
  return { name, event, channel, hz, dc, curve: { curve, domain: domainOf(calibration) }, isCalibrated: true }
}

/** @throws PumpUncalibrated */
export function demandCalibration({ name, isCalibrated }: PumpSpec): void {
  if (isCalibrated) return
  throw new PumpUncalibrated(`The ${name} pump has no active calibration, so its seconds for a volume are not known.`, {
    details: { device: `${name}_pump` },
  })
}

import { defineError } from '../../../../events/core/errors.js'
import { roundHalfEven } from '../../../../primitives/round.js'
import { type Curve, evaluate, invertUnbounded } from '../curve.js'

const PumpTimeOutOfRange = defineError(
  'pump.time_out_of_range',
  'input',
  'A pump would have to run for a time that it must not or cannot run for.',
)

/** mL over seconds at the calibration's frequency and duty cycle, and the seconds it was recorded over. */
export interface PumpCurve {
  readonly curve: Curve
  readonly domain: readonly [lowS: number, highS: number]
}

/** What a peristaltic pump moves at 250 Hz and full duty, when none is calibrated. Good for a run of given seconds, not for a volume.
 * Source: Pioreactor 26.7 `pump`. */
export const UNCALIBRATED_PUMP: PumpCurve = {
  curve: { type: 'poly', coefficients: [0.0911, 0] },
  domain: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
}

/** No pump is switched on for longer in one go, s. Waste of a full vessel of 40 mL, with its surplus, takes an uncalibrated pump 1320 s. */
export const MAX_PUMP_S = 3600

/** Seconds for a volume. 0 for 0 mL. @throws PumpTimeOutOfRange when the calibration gives none, or a longer one than a pump may run. */
export function pumpSeconds({ curve, domain }: PumpCurve, ml: number): number {
  if (ml === 0) return 0
  const seconds = ml > 0 ? (invertUnbounded(curve, ml, domain) ?? Number.NaN) : Number.NaN
  if (seconds > 0) return checkPumpSeconds(seconds, `for ${ml} mL `)
  throw new PumpTimeOutOfRange(`The calibration of the pump gives no time for ${ml} mL.`, {
    remediation: 'Ask for another volume, or calibrate the pump anew.',
    details: { field: 'ml', value: ml, unit: 'mL' },
  })
}

/** The same seconds, when a pump may run for them. @throws PumpTimeOutOfRange */
export function checkPumpSeconds(seconds: number, purpose = ''): number {
  if (seconds >= 0 && seconds <= MAX_PUMP_S) return seconds
  throw new PumpTimeOutOfRange(`A pump would run ${purpose}for ${seconds} s; it may run for 0 to ${MAX_PUMP_S} s.`, {
    details: { field: 'duration', value: seconds, limit: MAX_PUMP_S, unit: 's' },
  })
}

/** mL moved after so many seconds; never negative, 0 before the start. */
export const pumpedMl = ({ curve }: PumpCurve, seconds: number): number =>
  seconds <= 0 ? 0 : Math.max(0, roundHalfEven(evaluate(curve, seconds), 10))

/** mL that moved between two moments of a run, for an event that tells what has passed. */
export const pumpedBetweenMl = (pump: PumpCurve, fromS: number, toS: number): number =>
  Math.max(0, pumpedMl(pump, toS) - pumpedMl(pump, fromS))

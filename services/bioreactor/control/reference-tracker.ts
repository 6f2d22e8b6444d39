import { emaStep } from './ema.js'

/** Follows the reference photodiode, so that readings are relative to the light that the IR LED really gave. */
export interface ReferenceState {
  /** Moving average of the relative reference; null before the first. */
  readonly level: number | null
  readonly baseline: number | null
  /** Moving average of the squared deviation from the baseline. */
  readonly power: number
}

export interface ReferenceStep {
  readonly state: ReferenceState
  /** False when the reference jumps more than a lamp can. */
  readonly stable: boolean
  /** Deviation compared with the threshold. */
  readonly sigma: number
}

const SEED_POWER = 1e-6
const BASELINE_ALPHA = 0.8
const POWER_ALPHA = 0.95
/** Allowed deviation at one reading per 5 s. */
const THRESHOLD = 0.025
const THRESHOLD_INTERVAL_S = 5

export const NO_REFERENCE: ReferenceState = { level: null, baseline: null, power: SEED_POWER }

/** One relative reference reading. An unstable one leaves the level and starts the watch anew.
 * @param alpha weight of the past in the level. @param intervalS null when readings follow no interval.
 * Source: Pioreactor 26.7 `PhotodiodeIrLedReferenceTracker`. */
export function referenceStep(
  { level, baseline, power }: ReferenceState,
  reference: number,
  { alpha, intervalS }: { readonly alpha: number; readonly intervalS: number | null },
): ReferenceStep {
  const nextBaseline = emaStep(baseline, reference, BASELINE_ALPHA)
  const nextPower = emaStep(power, baseline === null ? 0 : (reference - baseline) ** 2, POWER_ALPHA)
  const sigma = Math.sqrt(nextPower)
  const threshold = THRESHOLD * Math.sqrt((intervalS ?? THRESHOLD_INTERVAL_S) / THRESHOLD_INTERVAL_S)
  return sigma <= threshold
    ? {
        state: { level: emaStep(level, reference, alpha), baseline: nextBaseline, power: nextPower },
        stable: true,
        sigma,
      }
    : { state: { level, baseline: null, power: SEED_POWER }, stable: false, sigma }
}

/** Weight that the first reading may still have. */
const REMEMBERED = 0.05

/** How far the level has come from resting on its first reading alone, 0 to 1: 1 once that has less than a twentieth of the weight.
 * @param readings so far @param alpha weight of the past in the level */
export function warmUpShare(readings: number, alpha: number): number {
  if (alpha <= 0 || alpha >= 1) return Math.min(readings, 1)
  const needed = 1 + Math.ceil(Math.log(REMEMBERED) / Math.log(alpha))
  return Math.min(1, Math.floor((100 * readings) / needed) / 100)
}

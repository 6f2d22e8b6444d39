import { clamp, roundHalfEven } from '../../../primitives/round.js'

/** Intensity at which the light is measured before it is chosen, %. */
export const TUNING_INTENSITY = 85
const LOWEST_INTENSITY = 50
/** Goals at the chosen intensity: the signal of an empty vial leaves room for fifty-fold growth below 3 V; the reference below 0.25 V. */
const SIGNAL_GOAL_V = 3.0 / 50
const REFERENCE_GOAL_V = 0.25

/** IR intensity in % for the voltages seen at 85 %. Source: Pioreactor 26.7 `od_reading`, `ir_led_intensity = auto`. */
export function chooseIrIntensity({ signalV, referenceV }: { signalV: number; referenceV: number }): number {
  const forGoal = (goalV: number, seenV: number): number =>
    seenV > 0 ? (TUNING_INTENSITY / seenV) * goalV : Number.POSITIVE_INFINITY
  const wanted = Math.min(forGoal(SIGNAL_GOAL_V, signalV), forGoal(REFERENCE_GOAL_V, referenceV))
  return roundHalfEven(clamp(LOWEST_INTENSITY, wanted, TUNING_INTENSITY), 2)
}

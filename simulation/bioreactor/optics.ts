/** What a photodiode sees of the culture. Angles as in the configuration: degrees from the IR LED, or `REF` beside it. */
export type Angle = 'REF' | '45' | '90' | '135' | '180'

/** Volts of a photodiode in the dark: amplifier offset and the room's light. */
const DARK_V = 0.002

/** Share of the other LEDs' light that finds its way into a photodiode, in V at full intensity. */
const STRAY_V = 0.004

/** Volts of the reference at full IR intensity: 0.1 V at 80 %. */
const REFERENCE_V = 0.125

/** Transmitted light falls with optical density; most of it is scattered away within the width of a vial. */
const TRANSMITTED_V = 0.9
const ATTENUATION_PER_OD = 0.35

/** Scattered light: V at full intensity without cells, per OD, and the OD at which shadowing has halved the slope. */
const SCATTER = {
  '45': { emptyV: 0.02, voltsPerOd: 0.32, shadowOd: 9 },
  '90': { emptyV: 0.012, voltsPerOd: 0.25, shadowOd: 12 },
  '135': { emptyV: 0.01, voltsPerOd: 0.2, shadowOd: 15 },
} as const

/** Volts of a photodiode without noise.
 * @param irLight Light of the IR LED, 0–1.
 * @param otherLight Sum of the other LEDs' light, each 0–1. */
export function photodiodeVolts(angle: Angle, od: number, irLight: number, otherLight: number): number {
  const dark = DARK_V + STRAY_V * otherLight
  if (angle === 'REF') return dark + irLight * REFERENCE_V
  if (angle === '180') return dark + irLight * TRANSMITTED_V * Math.exp(-ATTENUATION_PER_OD * od)
  const { emptyV, voltsPerOd, shadowOd } = SCATTER[angle]
  return dark + irLight * (emptyV + (voltsPerOd * od) / (1 + od / shadowOd))
}

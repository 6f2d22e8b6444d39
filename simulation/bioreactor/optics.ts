/** What a photodiode sees of the culture. Angles as in the configuration: degrees from the IR LED, or `REF` beside it. */
export const angles = ['REF', '45', '90', '135', '180'] as const
export type Angle = (typeof angles)[number]

/** Volts of a photodiode without any light: offset of the amplifier. */
const OFFSET_V = 0.001

/** The same without a cap. */
export const UNCAPPED_V = 0.15

/** Light of the room that finds its way into the vial, in V: by day and by night it sways by a third. */
const ROOM_V = 0.001
const ROOM_SWAY = 0.3
const DAY_S = 86_400

/** Hum of the mains in amplifier and room light, V. */
const HUM_V = 0.0003

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

/** Where no photodiode's own light is: offset, room light and hum, V. @param timeS Since the beginning, at noon. */
export const darkVolts = (timeS: number, mainsHz: number): number =>
  OFFSET_V +
  ROOM_V * (1 + ROOM_SWAY * Math.cos((2 * Math.PI * timeS) / DAY_S)) +
  HUM_V * Math.sin(2 * Math.PI * mainsHz * timeS)

/** An LED gives less light the longer it has shone: share lost per hour at full light. */
export const AGEING_PER_HOUR = 2e-5

/** Volts that the LEDs cause at a photodiode, without noise.
 * @param irLight Light of the IR LED, 0–1.
 * @param otherLight Sum of the other LEDs' light, each 0–1. */
export function litVolts(angle: Angle, od: number, irLight: number, otherLight: number): number {
  const stray = STRAY_V * otherLight
  if (angle === 'REF') return stray + irLight * REFERENCE_V
  if (angle === '180') return stray + irLight * TRANSMITTED_V * Math.exp(-ATTENUATION_PER_OD * od)
  const { emptyV, voltsPerOd, shadowOd } = SCATTER[angle]
  return stray + irLight * (emptyV + (voltsPerOd * od) / (1 + od / shadowOd))
}

/** From here on a vortex reaches into the light, and takes this share of it for every further 1000 RPM. */
const VORTEX_RPM = 1000
const VORTEX_SHARE = 0.02

/** Share of the vial's light that is left at a speed of the bar. Nothing moves before the reference. */
export const vortexShade = (angle: Angle, rpm: number): number =>
  angle === 'REF' ? 1 : 1 - (VORTEX_SHARE * Math.max(0, rpm - VORTEX_RPM)) / 1000

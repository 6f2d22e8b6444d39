import { primedTube, pushThrough, type Tube } from './tube.js'

/** What is in the vial and what moves it: two inflow pumps with their tubes, the waste tube, the rim, and the air. Volumes in ml. */

export type Pump = 'media' | 'alt_media' | 'waste'

export interface Liquid {
  readonly volumeMl: number
  /** Share of the medium that came as alternative medium, 0–1. */
  readonly altMediaFraction: number
  readonly tubes: Readonly<Record<'media' | 'alt_media', Tube>>
  /** Since the beginning; the volume is always the first one plus what came in minus the rest. */
  readonly mediaInMl: number
  readonly altMediaInMl: number
  readonly wasteOutMl: number
  readonly spilledMl: number
  readonly evaporatedMl: number
  /** In the measuring glass, since it was emptied. */
  readonly glassMl: number
}

export interface Vessel {
  /** At the rim; what is pumped in beyond it is spilled. */
  readonly capacityMl: number
  /** The waste tube ends at this volume and draws no deeper. */
  readonly effluxMl: number
  /** At full duty, ml/s. */
  readonly pumpMlPerS: Readonly<Record<Pump, number>>
}

/** What a pump does: its duty cycle in %, and whether its far end (the waste pump's: the one in the vial) is in the liquid. */
export interface PumpDrive {
  readonly percent: number
  readonly submerged: boolean
}

export type PumpDrives = Readonly<Record<Pump, PumpDrive>>

/** A peristaltic pump does not turn below it, %. */
const PUMP_STALL_PERCENT = 5

export const createLiquid = (volumeMl: number, altMediaFraction = 0): Liquid => ({
  volumeMl,
  altMediaFraction,
  tubes: { media: primedTube, alt_media: primedTube },
  mediaInMl: 0,
  altMediaInMl: 0,
  wasteOutMl: 0,
  spilledMl: 0,
  evaporatedMl: 0,
  glassMl: 0,
})

const pumpedMl = ({ percent }: PumpDrive, mlPerS: number, dtS: number): number =>
  percent < PUMP_STALL_PERCENT ? 0 : (percent / 100) * mlPerS * dtS

export interface Exchanged {
  readonly liquid: Liquid
  /** Share of what was dissolved and suspended before that is there at the same volume after, 0–1; the rest is fresh medium. */
  readonly kept: number
  readonly addedMl: number
}

/** The liquid after `dtS` seconds of steady pumping, the contents mixed all the time. Exact, whatever the step. */
export function exchange(liquid: Liquid, drives: PumpDrives, vessel: Vessel, dtS: number): Exchanged {
  const { pumpMlPerS } = vessel
  const media = pumpedMl(drives.media, pumpMlPerS.media, dtS)
  const alt = pumpedMl(drives.alt_media, pumpMlPerS.alt_media, dtS)
  const waste = drives.waste.submerged ? pumpedMl(drives.waste, pumpMlPerS.waste, dtS) : 0
  if (media === 0 && alt === 0 && waste === 0) return { liquid, kept: 1, addedMl: 0 }
  const fromMedia = pushThrough(liquid.tubes.media, media, drives.media.submerged)
  const fromAlt = pushThrough(liquid.tubes.alt_media, alt, drives.alt_media.submerged)
  const addedMl = fromMedia.liquidMl + fromAlt.liquidMl
  const flow = flowThrough(liquid.volumeMl, addedMl / dtS, waste / dtS, vessel, dtS)
  const fedFraction = addedMl === 0 ? 0 : fromAlt.liquidMl / addedMl
  return {
    liquid: {
      volumeMl: flow.volumeMl,
      altMediaFraction: liquid.altMediaFraction * flow.kept + fedFraction * (1 - flow.kept),
      tubes: { media: fromMedia.tube, alt_media: fromAlt.tube },
      mediaInMl: liquid.mediaInMl + fromMedia.liquidMl,
      altMediaInMl: liquid.altMediaInMl + fromAlt.liquidMl,
      wasteOutMl: liquid.wasteOutMl + flow.wasteMl,
      spilledMl: liquid.spilledMl + flow.spilledMl,
      evaporatedMl: liquid.evaporatedMl,
      glassMl: liquid.glassMl,
    },
    kept: flow.kept,
    addedMl,
  }
}

/** The liquid after `dtS` seconds of pumping from beakers of water into a measuring glass, past the vial: as somebody calibrates pumps. */
export function pumpIntoGlass(liquid: Liquid, drives: PumpDrives, { pumpMlPerS }: Vessel, dtS: number): Liquid {
  const through = (pump: Pump): number => pumpedMl(drives[pump], pumpMlPerS[pump], dtS)
  const media = pushThrough(liquid.tubes.media, through('media'), drives.media.submerged)
  const alt = pushThrough(liquid.tubes.alt_media, through('alt_media'), drives.alt_media.submerged)
  const waste = drives.waste.submerged ? through('waste') : 0
  const caughtMl = media.liquidMl + alt.liquidMl + waste
  return { ...liquid, tubes: { media: media.tube, alt_media: alt.tube }, glassMl: liquid.glassMl + caughtMl }
}

/** Steady inflow and suction, ml/s, over `dtS`: from one bend of the volume's course to the next. Between bends the volume changes
 * evenly, and what is dissolved fades with the power of it that steady mixing gives. */
function flowThrough(
  volumeMl: number,
  inflow: number,
  suction: number,
  { capacityMl, effluxMl }: Vessel,
  dtS: number,
): { volumeMl: number; kept: number; wasteMl: number; spilledMl: number } {
  let [volume, kept, wasteMl, spilledMl, left] = [volumeMl, 1, 0, 0, dtS]
  while (left > 0) {
    const drawn = volume > effluxMl ? suction : volume === effluxMl ? Math.min(suction, inflow) : 0
    const spilled = volume >= capacityMl ? Math.max(0, inflow - drawn) : 0
    const net = inflow - drawn - spilled
    const bend = net < 0 ? effluxMl : volume < effluxMl ? effluxMl : capacityMl
    const untilBend = net === 0 || bend === volume ? Infinity : (bend - volume) / net
    const seconds = Math.min(left, untilBend > 0 ? untilBend : Infinity)
    const after = seconds === untilBend ? bend : volume + net * seconds
    // The integral of 1/volume; by log1p, as the net flow may be next to nothing.
    const perMl = net === 0 ? seconds / volume : Math.log1p((net * seconds) / volume) / net
    if (inflow > 0) kept *= Math.exp(-inflow * perMl)
    wasteMl += drawn * seconds
    spilledMl += spilled * seconds
    volume = after
    left -= seconds
  }
  return { volumeMl: volume, kept, wasteMl, spilledMl }
}

/** Saturated vapour over water, kPa (Magnus; constants of Alduchov and Eskridge 1996). */
const vapourKPa = (celsius: number): number => 0.61094 * Math.exp((17.625 * celsius) / (celsius + 243.04))

/** 0.4 ml a day from a culture at 37 °C in a room of 22 °C: assumed, for a cap with a filter. */
const EVAPORATION_ML_PER_S_KPA = 9.1e-7
const ROOM_HUMIDITY = 0.45
/** What dries out leaves this much behind. */
const RESIDUE_ML = 0.1

/** Loses water, and nothing else, to the room. @returns the liquid and how much more concentrated it is. */
export function evaporate(
  liquid: Liquid,
  cultureC: number,
  roomC: number,
  dtS: number,
): { readonly liquid: Liquid; readonly concentration: number } {
  const deficit = Math.max(0, vapourKPa(cultureC) - ROOM_HUMIDITY * vapourKPa(roomC))
  const { volumeMl } = liquid
  const lostMl = Math.min(EVAPORATION_ML_PER_S_KPA * deficit * dtS, Math.max(0, volumeMl - RESIDUE_ML))
  if (lostMl === 0) return { liquid, concentration: 1 }
  const kept = volumeMl - lostMl
  return {
    // Spelled out: spreading costs ten times as much, and this runs for every second and for every look.
    liquid: {
      volumeMl: kept,
      altMediaFraction: liquid.altMediaFraction,
      tubes: liquid.tubes,
      mediaInMl: liquid.mediaInMl,
      altMediaInMl: liquid.altMediaInMl,
      wasteOutMl: liquid.wasteOutMl,
      spilledMl: liquid.spilledMl,
      evaporatedMl: liquid.evaporatedMl + lostMl,
      glassMl: liquid.glassMl,
    },
    concentration: volumeMl / kept,
  }
}

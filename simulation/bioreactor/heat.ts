/** Heat from the heater board through a pad and the glass into the culture, and from each to the room. */

/** Temperatures in °C. The probe sits on the heater board. */
export interface Heat {
  readonly heaterBoardC: number
  /** What lies between board and glass: the thermal pad and the ring that holds it. */
  readonly padC: number
  /** The vial's glass with the holder around it. */
  readonly wallC: number
  readonly cultureC: number
}

export const heatAt = (celsius: number): Heat => ({
  heaterBoardC: celsius,
  padC: celsius,
  wallC: celsius,
  cultureC: celsius,
})

/** Water, J/(ml K). Everything else of this file was fitted by least squares, with the logarithms of plausible values (a board of some
 * grams, 20 g of glass, some watts from 5 V) as weak priors, to two facts about real vessels:
 *
 * 1. the cooling series of `specs/bioreactor-jobs.md` §8.2: 21 means of six readings, 5.3 s apart (§4.5.1), of the probe of a vial that
 *    was held at 45.57 % in the thermostat's cycle of 200 s: 111.3 s of it are those readings, the rest is heated. The twin stays within 0.04 °C of it, 0.012 °C
 *    root mean square, of which the sensor's own resolution (0.0625 °C in six readings) is most;
 * 2. the culture's temperature at the end of that series, 38.73 °C, and of its copies at other duty cycles, as the regression of §4.5.2
 *    gives it, which was made from vials with a thermometer in them. It agrees with a linear model to 0.4 °C from 23 to 45 °C.
 *
 * Assumed: a room of 22 °C (§5.3), 15 ml (§5.1), periodic state. Time constants that follow: 2.6, 21, 70 and 1710 s. */
const WATER_J_PER_ML_K = 4.18

/** At full duty. */
const HEATER_W = 5.484
/** Heat capacities, J/K. */
const BOARD = 4.75
const PAD = 3.76
const WALL = 28.1
/** Conductances, W/K. */
const BOARD_TO_PAD = 0.682
const PAD_TO_WALL = 0.3257
const WALL_TO_CULTURE = 0.3265
const PAD_TO_ROOM = 0.0309
const WALL_TO_ROOM = 0.0105
const CULTURE_TO_ROOM = 0.0196

/** An empty vial still holds some warmth, and the step stays stable. */
const LEAST_ML = 0.5

/** Of the series that a step is made of. */
const TERMS = 6

interface Surroundings {
  /** Duty cycle, %. */
  readonly heaterPercent: number
  readonly volumeMl: number
  readonly roomC: number
}

/** What leaves each node for the next, as rates of its temperature and of the next one's, 1/s. */
const BOARD_LOSS = BOARD_TO_PAD / BOARD
const PAD_GAIN = BOARD_TO_PAD / PAD
const PAD_LOSS = PAD_TO_WALL / PAD
const WALL_GAIN = PAD_TO_WALL / WALL
const WALL_LOSS = WALL_TO_CULTURE / WALL

/** Temperatures after `dtS` seconds, to some microkelvin.
 * @param dtS At most 2: the fastest node needs 2.6 s. */
export function stepHeat(heat: Heat, { heaterPercent, volumeMl, roomC }: Surroundings, dtS: number): Heat {
  const cultureHeat = WATER_J_PER_ML_K * Math.max(LEAST_ML, volumeMl)
  const cultureGain = WALL_TO_CULTURE / cultureHeat
  const cultureLoss = CULTURE_TO_ROOM / cultureHeat
  let { heaterBoardC, padC, wallC, cultureC } = heat
  // Terms of the Taylor series of the linear system: each is the derivative of the one before. Spelled out: this runs for every second
  // and for every look, and arrays cost ten times as much.
  let [board, pad, wall, culture] = [heaterBoardC - roomC, padC - roomC, wallC - roomC, cultureC - roomC]
  for (let term = 1; term <= TERMS; term++) {
    const share = dtS / term
    const heating = term === 1 ? ((heaterPercent / 100) * HEATER_W) / BOARD : 0
    const nextBoard = (heating - BOARD_LOSS * (board - pad)) * share
    const nextPad = (PAD_GAIN * (board - pad) - PAD_LOSS * (pad - wall) - (PAD_TO_ROOM / PAD) * pad) * share
    const nextWall = (WALL_GAIN * (pad - wall) - WALL_LOSS * (wall - culture) - (WALL_TO_ROOM / WALL) * wall) * share
    culture = (cultureGain * (wall - culture) - cultureLoss * culture) * share
    board = nextBoard
    pad = nextPad
    wall = nextWall
    heaterBoardC += board
    padC += pad
    wallC += wall
    cultureC += culture
  }
  return { heaterBoardC, padC, wallC, cultureC }
}

/** What was poured in is at room temperature. */
export function mixHeat(heat: Heat, volumeMl: number, addedMl: number, roomC: number): Heat {
  if (addedMl <= 0) return heat
  const cultureC = (heat.cultureC * volumeMl + roomC * addedMl) / (volumeMl + addedMl)
  return { ...heat, cultureC }
}

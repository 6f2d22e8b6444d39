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

interface Surroundings {
  /** Duty cycle, %. */
  readonly heaterPercent: number
  readonly volumeMl: number
  readonly roomC: number
}

function slopes({ heaterBoardC, padC, wallC, cultureC }: Heat, { heaterPercent, volumeMl, roomC }: Surroundings): Heat {
  const toPad = BOARD_TO_PAD * (heaterBoardC - padC)
  const toWall = PAD_TO_WALL * (padC - wallC)
  const toCulture = WALL_TO_CULTURE * (wallC - cultureC)
  return {
    heaterBoardC: ((heaterPercent / 100) * HEATER_W - toPad) / BOARD,
    padC: (toPad - toWall - PAD_TO_ROOM * (padC - roomC)) / PAD,
    wallC: (toWall - toCulture - WALL_TO_ROOM * (wallC - roomC)) / WALL,
    cultureC: (toCulture - CULTURE_TO_ROOM * (cultureC - roomC)) / (WATER_J_PER_ML_K * Math.max(LEAST_ML, volumeMl)),
  }
}

const moved = (heat: Heat, by: Heat, dtS: number): Heat => ({
  heaterBoardC: heat.heaterBoardC + by.heaterBoardC * dtS,
  padC: heat.padC + by.padC * dtS,
  wallC: heat.wallC + by.wallC * dtS,
  cultureC: heat.cultureC + by.cultureC * dtS,
})

/** Temperatures after `dtS` seconds: one step of the classical Runge–Kutta method. @param dtS At most 2: the fastest node needs 2.6 s. */
export function stepHeat(heat: Heat, surroundings: Surroundings, dtS: number): Heat {
  const first = slopes(heat, surroundings)
  const second = slopes(moved(heat, first, dtS / 2), surroundings)
  const third = slopes(moved(heat, second, dtS / 2), surroundings)
  const fourth = slopes(moved(heat, third, dtS), surroundings)
  const mean = (node: keyof Heat): number => (first[node] + 2 * second[node] + 2 * third[node] + fourth[node]) / 6
  return {
    heaterBoardC: heat.heaterBoardC + mean('heaterBoardC') * dtS,
    padC: heat.padC + mean('padC') * dtS,
    wallC: heat.wallC + mean('wallC') * dtS,
    cultureC: heat.cultureC + mean('cultureC') * dtS,
  }
}

/** What was poured in is at room temperature. */
export function mixHeat(heat: Heat, volumeMl: number, addedMl: number, roomC: number): Heat {
  if (addedMl <= 0) return heat
  const cultureC = (heat.cultureC * volumeMl + roomC * addedMl) / (volumeMl + addedMl)
  return { ...heat, cultureC }
}

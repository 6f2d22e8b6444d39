/** The culture in its vessel: growth, heat, liquid and the stirrer. Pure; all chance stays outside. */

/** Duty cycles in % of what the board drives. */
export interface VialInputs {
  readonly stirrer: number
  readonly heater: number
  readonly media: number
  readonly altMedia: number
  readonly waste: number
}

export interface Vial {
  readonly volumeMl: number
  /** Optical density at 1 cm. */
  readonly od: number
  /** Share of the fresh medium's limiting nutrient. */
  readonly nutrient: number
  /** Readiness of the cells to grow (Baranyi and Roberts 1994): the lag ends as it passes 1. */
  readonly readiness: number
  readonly cultureC: number
  /** Heater board, where the probe sits. */
  readonly heaterC: number
  readonly stirrerRpm: number
  /** Since the beginning; a Hall edge at every whole number. */
  readonly revolutions: number
}

export interface VialParameters {
  readonly growthRatePerHour: number
  /** Nutrient share at which growth is half as fast (Monod). */
  readonly halfSaturation: number
  /** Optical density that the nutrient of fresh medium feeds. */
  readonly yieldOd: number
  readonly roomC: number
  /** Vessel brim; what is pumped in beyond it is spilled. */
  readonly capacityMl: number
  /** The waste tube ends at this volume and draws no deeper. */
  readonly effluxMl: number
}

export const defaultParameters: VialParameters = {
  growthRatePerHour: 1.8,
  halfSaturation: 0.05,
  yieldOd: 8,
  roomC: 22,
  capacityMl: 20,
  effluxMl: 14,
}

export const createVial = ({ od = 0.2, volumeMl = 14, roomC = defaultParameters.roomC } = {}): Vial => ({
  volumeMl,
  od,
  nutrient: 1,
  readiness: 1,
  cultureC: roomC,
  heaterC: roomC,
  stirrerRpm: 0,
  revolutions: 0,
})

/** ml/s at full duty: Pioreactor's default calibration of its peristaltic pumps. */
const PUMP_ML_PER_S = 0.0911

/** Fan motor with a magnet: RPM per % of duty, the duty that keeps it turning and the one that gets it going, inertia in s. */
const RPM_PER_PERCENT = 16.7
const STALL_PERCENT = 6
const START_PERCENT = 10
const STIRRER_TIME_CONSTANT_S = 0.4

/** 5 V through the heater's resistors; heat passes from board to culture, and from both to the room (W/K). */
const HEATER_W = 6
const BOARD_TO_CULTURE = 0.1
const BOARD_TO_ROOM = 0.03
const CULTURE_TO_ROOM = 0.04
/** Heat capacities in J/K: the board, the glass, a ml of water. */
const BOARD_HEAT = 10
const GLASS_HEAT = 10
const WATER_HEAT_PER_ML = 4.18

/** Beyond it the lag is over for good, and larger numbers add nothing. */
const MAX_READINESS = 1e6

/** The vial after `dtS` seconds (at most about one; the stirrer wants 0.1) under constant inputs. */
export function stepVial(vial: Vial, inputs: VialInputs, parameters: VialParameters, dtS: number): Vial {
  const { volumeMl, od: diluted, nutrient: mixed } = exchange(vial, inputs, parameters, dtS)
  const { od, nutrient, readiness } = grow(vial, diluted, mixed, parameters, dtS)
  const { heaterC, cultureC } = heat(vial, inputs, parameters, dtS)
  const { stirrerRpm, revolutions } = stir(vial, inputs, dtS)
  // Spelled out: spreading the parts costs ten times as much, and this runs 20 times a second of simulated time.
  return { volumeMl, od, nutrient, readiness, cultureC, heaterC, stirrerRpm, revolutions }
}

/** Pumps: inflow brings fresh medium at room temperature and no cells; waste is taken mixed. */
function exchange(
  vial: Vial,
  inputs: VialInputs,
  { capacityMl, effluxMl }: VialParameters,
  dtS: number,
): Pick<Vial, 'volumeMl' | 'od' | 'nutrient'> {
  const inflowMl = ((inputs.media + inputs.altMedia) / 100) * PUMP_ML_PER_S * dtS
  const wasteMl = (inputs.waste / 100) * PUMP_ML_PER_S * dtS
  if (inflowMl === 0 && wasteMl === 0) return vial
  const filledMl = vial.volumeMl + inflowMl
  const kept = vial.volumeMl / filledMl
  const drawnMl = Math.min(wasteMl, Math.max(0, filledMl - effluxMl))
  return {
    volumeMl: Math.min(capacityMl, filledMl - drawnMl),
    od: vial.od * kept,
    nutrient: vial.nutrient * kept + (1 - kept),
  }
}

/** Growth is fastest at 35 °C and stops 25 °C away from it. */
const warmth = (celsius: number): number => Math.max(0, 1 - ((celsius - 35) / 25) ** 2)

function grow(
  vial: Vial,
  od: number,
  nutrient: number,
  parameters: VialParameters,
  dtS: number,
): Pick<Vial, 'od' | 'nutrient' | 'readiness'> {
  const dtH = dtS / 3600
  const fastest = parameters.growthRatePerHour * warmth(vial.cultureC)
  const fed = nutrient / (nutrient + parameters.halfSaturation)
  const awake = vial.readiness / (1 + vial.readiness)
  const grown = Math.min(od * Math.expm1(fastest * fed * awake * dtH), nutrient * parameters.yieldOd)
  return {
    od: od + grown,
    nutrient: nutrient - grown / parameters.yieldOd,
    readiness: Math.min(MAX_READINESS, vial.readiness * Math.exp(fastest * dtH)),
  }
}

function heat(
  vial: Vial,
  inputs: VialInputs,
  { roomC }: VialParameters,
  dtS: number,
): Pick<Vial, 'heaterC' | 'cultureC'> {
  const { heaterC, cultureC } = vial
  const toCultureW = BOARD_TO_CULTURE * (heaterC - cultureC)
  const heaterW = (inputs.heater / 100) * HEATER_W - toCultureW - BOARD_TO_ROOM * (heaterC - roomC)
  const cultureW = toCultureW - CULTURE_TO_ROOM * (cultureC - roomC)
  return {
    heaterC: heaterC + (heaterW * dtS) / BOARD_HEAT,
    cultureC: cultureC + (cultureW * dtS) / (GLASS_HEAT + WATER_HEAT_PER_ML * vial.volumeMl),
  }
}

function stir(vial: Vial, inputs: VialInputs, dtS: number): Pick<Vial, 'stirrerRpm' | 'revolutions'> {
  const enough = inputs.stirrer >= (vial.stirrerRpm > 1 ? STALL_PERCENT : START_PERCENT)
  const target = enough ? inputs.stirrer * RPM_PER_PERCENT : 0
  const rpm = target + (vial.stirrerRpm - target) * Math.exp(-dtS / STIRRER_TIME_CONSTANT_S)
  const settled = target === 0 && rpm < 1 ? 0 : rpm
  return { stirrerRpm: settled, revolutions: vial.revolutions + ((vial.stirrerRpm + settled) / 2 / 60) * dtS }
}

import {
  type Culture,
  type CultureParameters,
  concentrateCulture,
  defaultCultureParameters,
  diluteCulture,
  growCulture,
} from './culture.js'
import { type Heat, heatAt, mixHeat, stepHeat } from './heat.js'
import {
  createLiquid,
  evaporate,
  exchange,
  type Liquid,
  type PumpDrives,
  pumpIntoGlass,
  type Vessel,
} from './liquid.js'

/** The culture in its vessel: what is slow. Pure; chance, light and the stirrer stay outside. */
export interface Vial {
  readonly liquid: Liquid
  readonly culture: Culture
  readonly heat: Heat
}

export interface VialInputs {
  /** Duty cycle of the heater, %. */
  readonly heaterPercent: number
  readonly pumps: PumpDrives
  /** Whether the pumps take water from beakers and bring it into a measuring glass, with the vial out of it. */
  readonly intoGlass: boolean
}

export interface VialParameters extends Vessel, CultureParameters {
  readonly roomC: number
}

/** ml/s at full duty: Pioreactor's default calibration of its peristaltic pumps. */
const PUMP_ML_PER_S = 0.0911

/** A 20 ml vessel with the volumes of the stock configuration. */
export const defaultParameters: VialParameters = {
  ...defaultCultureParameters,
  roomC: 22,
  capacityMl: 20,
  effluxMl: 15,
  pumpMlPerS: { media: PUMP_ML_PER_S, alt_media: PUMP_ML_PER_S, waste: PUMP_ML_PER_S },
}

/** How the vial is filled and inoculated. */
export interface Inoculum {
  readonly od?: number
  /** By default filled to the end of the waste tube, ml. */
  readonly volumeMl?: number
  readonly altMediaFraction?: number
  /** Above 1 the cells grow at once; the smaller, the longer the lag. */
  readonly readiness?: number
}

export const createVial = (
  { od = 0.2, volumeMl, altMediaFraction = 0, readiness = 3 }: Inoculum = {},
  { roomC, effluxMl, capacityMl }: VialParameters = defaultParameters,
): Vial => ({
  liquid: createLiquid(Math.min(capacityMl, volumeMl ?? effluxMl), altMediaFraction),
  culture: { viableOd: od, deadOd: 0, nutrient: 1, readiness },
  heat: heatAt(roomC),
})

/** The holder after somebody has put in a vial of a standard: dead cells of this optical density, at room temperature. What was pumped so far stays. */
export const withStandard = (vial: Vial, od: number, parameters: VialParameters): Vial => {
  const { liquid, heat } = createVial({ od: 0 }, parameters)
  const { volumeMl, altMediaFraction } = liquid
  return {
    liquid: { ...vial.liquid, volumeMl, altMediaFraction },
    culture: { viableOd: 0, deadOd: od, nutrient: 1, readiness: 0 },
    heat,
  }
}

/** The vial after `dtS` seconds (at most 2) under steady inputs. */
export function stepVial(
  vial: Vial,
  { heaterPercent, pumps, intoGlass }: VialInputs,
  parameters: VialParameters,
  dtS: number,
): Vial {
  const { roomC } = parameters
  const {
    liquid: mixed,
    kept,
    addedMl,
  } = intoGlass
    ? { liquid: pumpIntoGlass(vial.liquid, pumps, parameters, dtS), kept: 1, addedMl: 0 }
    : exchange(vial.liquid, pumps, parameters, dtS)
  const heat = mixHeat(vial.heat, vial.liquid.volumeMl, addedMl, roomC)
  const { liquid, concentration } = evaporate(mixed, heat.cultureC, roomC, dtS)
  const diluted = kept === 1 ? vial.culture : diluteCulture(vial.culture, kept)
  const habitat = { cultureC: heat.cultureC, altMediaFraction: liquid.altMediaFraction }
  return {
    liquid,
    culture: growCulture(concentrateCulture(diluted, concentration), habitat, parameters, dtS),
    heat: stepHeat(heat, { heaterPercent, volumeMl: liquid.volumeMl, roomC }, dtS),
  }
}

/** Cells in medium: lag, growth, starvation, death. Amounts of cells are what they add to the optical density at 1 cm. */

export interface Culture {
  readonly viableOd: number
  /** Dead cells scatter light until they have dissolved. */
  readonly deadOd: number
  /** Limiting nutrient, as a share of that of fresh medium. */
  readonly nutrient: number
  /** Readiness of the cells to grow (Baranyi and Roberts 1994): the lag ends as it passes 1. */
  readonly readiness: number
}

export interface CultureParameters {
  /** At the best temperature in fresh medium, 1/h. */
  readonly growthRatePerHour: number
  /** No growth below the first and above the last, fastest at the second, °C. */
  readonly cardinalC: readonly [least: number, best: number, most: number]
  /** Nutrient share at which growth is half as fast (Monod 1949). */
  readonly halfSaturation: number
  /** Optical density that the nutrient of fresh medium feeds. */
  readonly yieldOd: number
  /** Share of alternative medium at which growth is half as fast, for its inhibitor (Hill's equation), and how steeply it falls there. */
  readonly inhibitingFraction: number
  readonly inhibitionSteepness: number
  /** Death in mild conditions, and dissolution of the dead, 1/h. */
  readonly deathPerHour: number
  readonly lysisPerHour: number
}

/** Escherichia coli with little air, so that a day shows lag, growth and starvation. */
export const defaultCultureParameters: CultureParameters = {
  growthRatePerHour: 1.2,
  // Rosso, Lobry and Flandrois 1993, table 1.
  cardinalC: [4.9, 41.3, 47.5],
  halfSaturation: 0.05,
  yieldOd: 8,
  inhibitingFraction: 0.3,
  inhibitionSteepness: 2,
  deathPerHour: 0.003,
  lysisPerHour: 0.02,
}

/** Death by heat: tenfold every 5 °C, one tenth left after five minutes at 55 °C, as is usual for E. coli in broth. */
const HEAT_DEATH_PER_HOUR = (Math.LN10 * 60) / 5
const HEAT_DEATH_C = 55
const TENFOLD_C = 5
/** Nothing dies faster. */
const MAX_DEATH_PER_HOUR = 1000

/** Beyond it the lag is over for good, and larger numbers add nothing. */
const MAX_READINESS = 1e6

export const odOf = ({ viableOd, deadOd }: Culture): number => viableOd + deadOd

/** Share of the fastest growth at a temperature, 0–1: the cardinal temperature model (Rosso, Lobry and Flandrois 1993). */
export function warmth(celsius: number, [least, best, most]: CultureParameters['cardinalC']): number {
  if (celsius <= least || celsius >= most) return 0
  const span = best - least
  return (
    ((celsius - most) * (celsius - least) ** 2) /
    (span * (span * (celsius - best) - (best - most) * (best + least - 2 * celsius)))
  )
}

/** Where the culture is. */
export interface Habitat {
  readonly cultureC: number
  readonly altMediaFraction: number
}

interface Rates {
  /** Of cells that are ready and fed. */
  readonly fastest: number
  readonly growth: number
  readonly death: number
}

/** Specific rates, 1/h. */
function rates(culture: Culture, { cultureC, altMediaFraction }: Habitat, parameters: CultureParameters): Rates {
  const { growthRatePerHour, cardinalC, halfSaturation, inhibitingFraction, inhibitionSteepness } = parameters
  const inhibition = 1 / (1 + (altMediaFraction / inhibitingFraction) ** inhibitionSteepness)
  const fastest = growthRatePerHour * warmth(cultureC, cardinalC) * inhibition
  const fed = culture.nutrient / (culture.nutrient + halfSaturation)
  const awake = culture.readiness / (1 + culture.readiness)
  const heat = HEAT_DEATH_PER_HOUR * 10 ** ((cultureC - HEAT_DEATH_C) / TENFOLD_C)
  return {
    fastest,
    growth: fastest * fed * awake,
    death: Math.min(MAX_DEATH_PER_HOUR, parameters.deathPerHour + heat),
  }
}

/** Specific rate at which the optical density changes without any dosing, 1/h. */
export function netGrowthPerHour(culture: Culture, habitat: Habitat, parameters: CultureParameters): number {
  const od = odOf(culture)
  if (od === 0) return 0
  const { growth } = rates(culture, habitat, parameters)
  return (growth * culture.viableOd - parameters.lysisPerHour * culture.deadOd) / od
}

/** The culture after `dtS` seconds, in which the rates hardly change (some seconds). */
export function growCulture(culture: Culture, habitat: Habitat, parameters: CultureParameters, dtS: number): Culture {
  const dtH = dtS / 3600
  const { fastest, growth, death } = rates(culture, habitat, parameters)
  const grown = Math.min(culture.viableOd * Math.expm1(growth * dtH), culture.nutrient * parameters.yieldOd)
  const grownOd = culture.viableOd + grown
  const died = grownOd * -Math.expm1(-death * dtH)
  return {
    viableOd: grownOd - died,
    deadOd: (culture.deadOd + died) * Math.exp(-parameters.lysisPerHour * dtH),
    nutrient: culture.nutrient - grown / parameters.yieldOd,
    readiness: Math.min(MAX_READINESS, culture.readiness * Math.exp(fastest * dtH)),
  }
}

/** What of the vial's own stays when fresh medium washes in. @param kept Share of what was there, 0–1. */
export const diluteCulture = (culture: Culture, kept: number): Culture => ({
  viableOd: culture.viableOd * kept,
  deadOd: culture.deadOd * kept,
  nutrient: culture.nutrient * kept + (1 - kept),
  readiness: culture.readiness,
})

/** @param factor How much more concentrated everything is, for the water that has gone. */
export const concentrateCulture = (culture: Culture, factor: number): Culture => ({
  viableOd: culture.viableOd * factor,
  deadOd: culture.deadOd * factor,
  nutrient: culture.nutrient * factor,
  readiness: culture.readiness,
})

import type { Cell } from './cell.js'
import { Diffusion } from './diffusion.js'

const FARADAY = 96485.33212
const GAS_CONSTANT = 8.314462618

export interface RandlesOptions {
  /** Electrode area, cm². */
  readonly areaCm2: number
  /** Of both species, cm²/s. */
  readonly diffusivity: number
  /** Sum of both species, mol/cm³. */
  readonly concentration: number
  /** Share of the oxidised species in the bulk, 0–1. */
  readonly oxidisedFraction: number
  /** Formal potential in V against the reference. */
  readonly formalV: number
  /** Standard rate constant, cm/s. */
  readonly rate: number
  /** Cathodic transfer coefficient. */
  readonly transfer: number
  readonly temperatureK: number
  readonly doubleLayerF: number
  readonly solutionOhm: number
  /** Time until which the bulk must not be felt, s. */
  readonly longestS: number
}

/** Ferri/ferrocyanide, 5 mM in all, at a 3 mm disc against Ag/AgCl. */
export const ferricyanide: RandlesOptions = {
  areaCm2: 0.0707,
  diffusivity: 6.7e-6,
  concentration: 5e-6,
  oxidisedFraction: 0.5,
  formalV: 0.22,
  rate: 0.02,
  transfer: 0.5,
  temperatureK: 298.15,
  doubleLayerF: 1.414e-6,
  solutionOhm: 120,
  longestS: 300,
}

/** The cell before any current flowed must have a finite potential. */
const LEAST_FRACTION = 1e-9
const MAX_EXPONENT = 60
const SEARCH_LIMIT_V = 10
const POTENTIAL_TOLERANCE_V = 1e-10
const MAX_ITERATIONS = 60

/** One-electron couple O + e⁻ ⇌ R with Butler–Volmer kinetics, semi-infinite diffusion, double layer and solution resistance. Equal
 * diffusivities keep c_O + c_R constant, so one profile suffices. */
export class RandlesCell implements Cell {
  currentA = 0
  potentialV: number
  readonly #options: RandlesOptions
  readonly #diffusion: Diffusion
  readonly #perVolt: number
  /** Current per flux, A s cm²/mol. */
  readonly #currentPerFlux: number
  /** Capacitance of the double layer per step, A/V. */
  readonly #charging: number
  #electrodeV: number
  #faradaicA = 0
  #faradaicSlope = 0

  constructor(stepS: number, options: Partial<RandlesOptions> = {}) {
    const all = { ...ferricyanide, ...options }
    const oxidised = Math.min(1 - LEAST_FRACTION, Math.max(LEAST_FRACTION, all.oxidisedFraction))
    this.#options = all
    this.#perVolt = FARADAY / (GAS_CONSTANT * all.temperatureK)
    this.#currentPerFlux = FARADAY * all.areaCm2
    this.#charging = all.doubleLayerF / stepS
    this.#electrodeV = all.formalV + Math.log(oxidised / (1 - oxidised)) / this.#perVolt
    this.potentialV = this.#electrodeV
    this.#diffusion = new Diffusion({
      stepS,
      diffusivity: all.diffusivity,
      bulk: all.concentration * (1 - oxidised),
      longestS: all.longestS,
    })
  }

  step(potentialV: number, connected: boolean): void {
    const reduced = this.#diffusion.relax()
    const before = this.#electrodeV
    this.#electrodeV = this.#balance(potentialV, connected ? 1 / this.#options.solutionOhm : 0, reduced)
    this.currentA = connected ? this.#charging * (this.#electrodeV - before) + this.#faradaicA : 0
    this.potentialV = connected ? potentialV : this.#electrodeV
    this.#diffusion.take(this.#faradaicA / this.#currentPerFlux)
  }

  /** Potential of the electrode at which the current through the solution charges the double layer and feeds the reaction: Newton,
   * kept inside a shrinking bracket. The sum falls with potential, so there is one root. */
  #balance(potentialV: number, conductance: number, reduced: number): number {
    const before = this.#electrodeV
    let low = -SEARCH_LIMIT_V
    let high = SEARCH_LIMIT_V
    let trial = before
    for (let i = 0; i < MAX_ITERATIONS; i++) {
      this.#react(trial, reduced)
      const excess = conductance * (potentialV - trial) - this.#charging * (trial - before) - this.#faradaicA
      if (excess > 0) low = trial
      else high = trial
      const newton = trial + excess / (conductance + this.#charging + this.#faradaicSlope)
      if (Math.abs(newton - trial) < POTENTIAL_TOLERANCE_V) break
      trial = newton > low && newton < high ? newton : (low + high) / 2
    }
    return trial
  }

  /** Faradaic current and its slope at a trial potential, the surface concentration following the flux. */
  #react(electrodeV: number, reduced: number): void {
    const { formalV, rate, transfer, concentration } = this.#options
    const exponent = this.#perVolt * (electrodeV - formalV)
    const anodic = rate * Math.exp(limited((1 - transfer) * exponent))
    const cathodic = rate * Math.exp(limited(-transfer * exponent))
    const oxidised = concentration - reduced
    const response = this.#diffusion.surfaceResponse
    const hindrance = 1 + response * (anodic + cathodic)
    const flux = (anodic * reduced - cathodic * oxidised) / hindrance
    const anodicSlope = (1 - transfer) * this.#perVolt * anodic
    const cathodicSlope = -transfer * this.#perVolt * cathodic
    const slope = anodicSlope * reduced - cathodicSlope * oxidised - flux * response * (anodicSlope + cathodicSlope)
    this.#faradaicA = this.#currentPerFlux * flux
    this.#faradaicSlope = (this.#currentPerFlux * slope) / hindrance
  }
}

const limited = (exponent: number): number => Math.min(MAX_EXPONENT, Math.max(-MAX_EXPONENT, exponent))

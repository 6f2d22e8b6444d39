/** Growth of the grid spacing from node to node. */
const GRID_GROWTH = 1.08
/** First spacing in units of the diffusion length of one step. */
const FIRST_SPACING = 0.35
/** How far the grid reaches, in units of the diffusion length of the longest time. */
const REACH = 6

export interface DiffusionOptions {
  readonly stepS: number
  /** cm²/s. */
  readonly diffusivity: number
  /** Concentration everywhere at the start and for ever far away, mol/cm³. */
  readonly bulk: number
  /** Time until which the far end must not be felt, s. */
  readonly longestS: number
}

/** One-dimensional diffusion between a surface and a bulk of fixed concentration: control volumes on an expanding grid, backward Euler,
 * the tridiagonal system factored once (Thomas). Lengths in cm, concentrations in mol/cm³, fluxes in mol/(cm² s).
 *
 * A step is `relax()`, which solves it as if no flux left the surface, then `take(flux)`. The system is linear, so the flux changes each
 * node by a multiple found once; that change is applied while the next step is solved, which saves a pass over the nodes. */
export class Diffusion {
  /** Surface concentration lost per unit of flux taken during a step, s/cm. */
  readonly surfaceResponse: number
  /** Solution of the last step without its flux. */
  readonly #relaxed: Float64Array
  #flux = 0
  readonly #bulk: number
  /** Per node: weights of its own old value, of the flux, of the node before (forward) and of the node behind (backward). */
  readonly #own: Float64Array
  readonly #lost: Float64Array
  readonly #before: Float64Array
  readonly #behind: Float64Array

  constructor({ stepS, diffusivity, bulk, longestS }: DiffusionOptions) {
    const spacings = gridSpacings(
      FIRST_SPACING * Math.sqrt(diffusivity * stepS),
      REACH * Math.sqrt(diffusivity * longestS),
    )
    const nodes = spacings.length
    this.#bulk = bulk
    this.#relaxed = new Float64Array(nodes).fill(bulk)
    this.#own = new Float64Array(nodes)
    this.#before = new Float64Array(nodes)
    this.#behind = new Float64Array(nodes)
    this.#lost = new Float64Array(nodes)

    const response = new Float64Array(nodes)
    let inward = { spacing: 0, conductance: 0, behind: 0 }
    for (const [k, spacing] of spacings.entries()) {
      const conductance = diffusivity / spacing
      const storage = (inward.spacing + spacing) / 2 / stepS
      const pivot = storage + conductance + inward.conductance * (1 - inward.behind)
      this.#own[k] = storage / pivot
      this.#before[k] = inward.conductance / pivot
      this.#behind[k] = conductance / pivot
      response[k] = k === 0 ? 1 / pivot : (this.#before[k] ?? 0) * (response[k - 1] ?? 0)
      inward = { spacing, conductance, behind: conductance / pivot }
    }
    for (let k = nodes - 2; k >= 0; k--)
      response[k] = (response[k] ?? 0) + (this.#behind[k] ?? 0) * (response[k + 1] ?? 0)
    for (let k = 0; k < nodes; k++) this.#lost[k] = (this.#own[k] ?? 0) * (response[k] ?? 0)
    this.surfaceResponse = response[0] ?? 0
  }

  /** Begins a step; the surface concentration it would end with if no flux left the surface. */
  relax(): number {
    const x = this.#relaxed
    const own = this.#own
    const lost = this.#lost
    const before = this.#before
    const behind = this.#behind
    const flux = this.#flux
    let neighbour = 0
    for (let k = 0; k < x.length; k++) {
      neighbour = (own[k] ?? 0) * (x[k] ?? 0) - (lost[k] ?? 0) * flux + (before[k] ?? 0) * neighbour
      x[k] = neighbour
    }
    neighbour = this.#bulk
    for (let k = x.length - 1; k >= 0; k--) {
      neighbour = (x[k] ?? 0) + (behind[k] ?? 0) * neighbour
      x[k] = neighbour
    }
    return neighbour
  }

  /** Ends the step with `flux` taken at the surface. */
  take(flux: number): void {
    this.#flux = flux
  }
}

function gridSpacings(first: number, reach: number): readonly number[] {
  const spacings: number[] = []
  for (let spacing = first, x = 0; x < reach; spacing *= GRID_GROWTH) {
    spacings.push(spacing)
    x += spacing
  }
  return spacings
}

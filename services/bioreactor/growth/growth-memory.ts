import { Type } from '@sinclair/typebox'
import { isInputError } from '../../../events/core/errors.js'
import { type GrowthState, growthDisturbed, GrowthState as State, startGrowth } from '../control/growth/growth-rate.js'
import type { ExperimentStore } from '../experiment-store.js'

/** OD that counts as 1, by channel, for each way the light was turned into numbers. */
const FactorsByOptics = Type.Record(Type.String(), Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 })))
/** The name that a Pioreactor gives it. */
const FACTORS = 'od_normalization_mean'
const STATE = 'growth_rate_state'
/** Each new intensity, calibration or blank is one more. */
const MAX_OPTICS = 20

/** The filter of the experiment that goes on. Without the factors: those are forgotten by `clear_cache`, whatever runs. */
const SavedState = Type.Object({ version: Type.Literal(1), optics: Type.String(), state: State })

export interface Recalled {
  readonly state: GrowthState
  /** Whether the filter itself was found, not just what counts as 1. */
  readonly isResumed: boolean
}

/** What `growth_rate_calculating` knows of an experiment beyond its own end. */
export class GrowthMemory {
  readonly #store: ExperimentStore
  readonly #experiment: string

  constructor(store: ExperimentStore, experiment: string) {
    this.#store = store
    this.#experiment = experiment
  }

  /** What to begin with. Of a filter that was kept it counts as unknown what has happened since; the age of its last reading tells whether it still serves.
   * @throws InvalidInput when the factors cannot be read */
  async recall(optics: string): Promise<Recalled> {
    const factors = (await this.#factors())[optics]
    if (factors === undefined) return { state: startGrowth(), isResumed: false }
    const known = await this.#saved()
    const isResumed = known !== null && known.optics === optics && known.state.filter !== null
    return isResumed
      ? { state: growthDisturbed({ ...known.state, factors }), isResumed }
      : { state: startGrowth(factors), isResumed }
  }

  /** Keeps what counts as 1. */
  async learn(optics: string, factors: GrowthState['factors']): Promise<void> {
    const { [optics]: _, ...others } = await this.#factors()
    const kept = Object.entries(others).slice(1 - MAX_OPTICS)
    await this.#store.write(FACTORS, this.#experiment, Object.fromEntries([...kept, [optics, factors]]))
  }

  async keep(optics: string, state: GrowthState): Promise<void> {
    await this.#store.writeOnly(STATE, this.#experiment, { version: 1, optics, state: { ...state, factors: {} } })
  }

  /** @returns whether there was anything */
  async forget(): Promise<boolean> {
    const factors = await this.#store.remove(FACTORS, this.#experiment)
    const state = await this.#store.remove(STATE, this.#experiment)
    return factors || state
  }

  /** Null also for what another version kept or what cannot be read: the statistics begin anew within minutes. */
  async #saved() {
    try {
      return await this.#store.read(STATE, this.#experiment, SavedState)
    } catch (error) {
      if (isInputError(error)) return null
      throw error
    }
  }

  async #factors() {
    return (await this.#store.read(FACTORS, this.#experiment, FactorsByOptics)) ?? {}
  }
}

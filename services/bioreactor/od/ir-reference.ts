import { Type } from '@sinclair/typebox'
import { defineError, type LabError } from '../../../events/core/errors.js'
import { NO_REFERENCE, type ReferenceState, referenceStep, warmUpShare } from '../control/reference-tracker.js'
import type { ExperimentStore } from '../experiment-store.js'

const NoReferenceLight = defineError(
  'od.no_reference_light',
  'hardware',
  'The reference photodiode sees no light of the IR LED.',
)

const STORE = 'ir_led_reference_normalization'
const InitialByIntensity = Type.Record(Type.String(), Type.Number())

/** The next reading of the experiment is its first again. */
export const forgetReference = (store: ExperimentStore, experiment: string): Promise<boolean> =>
  store.remove(STORE, experiment)

export interface IrReferenceOptions {
  readonly experiment: string
  readonly store: ExperimentStore
  /** `unity`: relative to the first reference of the experiment at this intensity; `classic`: volts. */
  readonly normalization: 'unity' | 'classic'
  /** Weight of the past, 0–1. */
  readonly alpha: number
}

/** The light the IR LED gives, as the reference photodiode sees it. */
export class IrReference {
  readonly #options: IrReferenceOptions
  #state: ReferenceState = NO_REFERENCE
  #initial: number | null = null
  #calmReadings = 0

  constructor(options: IrReferenceOptions) {
    this.#options = options
  }

  /** Relative light; null before the first reading. */
  get level(): number | null {
    return this.#state.level
  }

  /** How far the level has come from resting on one reading, 0 to 1. */
  get warmUp(): number {
    return warmUpShare(this.#calmReadings, this.#options.alpha)
  }

  /** Forgets the light of another intensity. */
  reset(): void {
    this.#calmReadings = 0
    this.#state = NO_REFERENCE
    this.#initial = null
  }

  /** Takes one reading in V. @returns whether it was calm enough to count. */
  async update(volts: number, irIntensity: number, intervalS: number | null): Promise<boolean> {
    const { normalization, alpha } = this.#options
    const unit = normalization === 'unity' ? await this.#initialFor(volts, irIntensity) : 1
    const { state, stable } = referenceStep(this.#state, volts / unit, { alpha, intervalS })
    this.#state = state
    if (stable) this.#calmReadings++
    return stable
  }

  /** A signal in V relative to the light. @throws NoReferenceLight when there is none. */
  normalize(volts: number): number {
    const { level } = this.#state
    if (level === null || level <= 0) throw noLight(level ?? 0)
    return volts / level
  }

  async #initialFor(volts: number, irIntensity: number): Promise<number> {
    if (this.#initial !== null) return this.#initial
    const { store, experiment } = this.#options
    const known = (await store.read(STORE, experiment, InitialByIntensity)) ?? {}
    const initial = known[String(irIntensity)] ?? volts
    if (initial <= 0) throw noLight(initial)
    if (known[String(irIntensity)] === undefined) {
      await store.write(STORE, experiment, { ...known, [String(irIntensity)]: initial })
    }
    this.#initial = initial
    return initial
  }
}

const noLight = (value: number): LabError =>
  new NoReferenceLight(`The reference photodiode reads ${value}; it must be above 0.`, {
    remediation: 'Check the IR LED and the REF photodiode.',
  })

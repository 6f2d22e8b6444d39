import type { Clock } from '../../events/ports.js'
import { LED_CHANNELS, type LedChannel } from '../../services/bioreactor/board/board.js'
import { createRandom, type Random } from '../random.js'
import { type Angle, photodiodeVolts } from './optics.js'
import type { Load, PhysicalVial } from './physical-vial.js'
import { createVial, defaultParameters, stepVial, type Vial, type VialInputs, type VialParameters } from './vial.js'

export interface VirtualVialOptions {
  readonly clock: Clock
  readonly seed: number
  /** Angle of each photodiode; by default 1=REF, 2=90, 3=45, 4=135. */
  readonly angles?: Readonly<Record<string, Angle>>
  readonly culture?: { readonly od?: number; readonly volumeMl?: number }
  readonly parameters?: Partial<VialParameters>
}

/** The world moves in steps of this length, whatever the clock does, so that a seed and a history of inputs fix its course. */
const STEP_MS = 50

const INPUTS: Readonly<Record<Load, keyof VialInputs>> = {
  stirring: 'stirrer',
  media: 'media',
  alt_media: 'altMedia',
  waste: 'waste',
  heating: 'heater',
}

/** Noise of one conversion: V, and share of the signal. The co-processor sums many samples, the others take one. */
const NOISE_V = 0.00005
const NOISE_SHARE = 0.002

/** Light of the IR LED wanders: standard deviation, time constant, and how often it is moved on. */
const DRIFT = 0.003
const DRIFT_TIME_CONSTANT_S = 1200
const DRIFT_STEP_MS = 1000

const TEMPERATURE_NOISE_C = 0.02
/** Mechanical jitter of a Hall edge. */
const EDGE_JITTER_S = 0.0002

/** A culture in its vessel, with what lights, stirs, heats and feeds it. Every call first brings it up to the clock. */
export class VirtualVial implements PhysicalVial {
  readonly #clock: Clock
  readonly #random: Random
  readonly #driftRandom: Random
  readonly #angles: Readonly<Record<string, Angle>>
  readonly #parameters: VialParameters
  readonly #lights = new Map<LedChannel, number>()
  readonly #edgeListeners = new Set<(timeS: number) => void>()
  #vial: Vial
  #inputs: VialInputs = { stirrer: 0, heater: 0, media: 0, altMedia: 0, waste: 0 }
  #timeMs: number
  #drift = 0
  #untilDriftMs = DRIFT_STEP_MS

  constructor(options: VirtualVialOptions) {
    this.#clock = options.clock
    this.#random = createRandom(options.seed)
    this.#driftRandom = createRandom(options.seed + 1)
    this.#angles = options.angles ?? { pd1: 'REF', pd2: '90', pd3: '45', pd4: '135' }
    this.#parameters = { ...defaultParameters, ...options.parameters }
    this.#vial = createVial({ ...options.culture, roomC: this.#parameters.roomC })
    this.#timeMs = options.clock.monotonicMs()
  }

  get state(): Vial {
    this.advance()
    return this.#vial
  }

  photodiodeVolts(input: string): number {
    this.advance()
    const angle = this.#angles[input]
    if (angle === undefined) return 0
    const [ir = 0, ...others] = LED_CHANNELS.map((channel) => this.#lights.get(channel) ?? 0)
    const stray = others.reduce((sum, light) => sum + light, 0)
    const volts = photodiodeVolts(angle, this.#vial.od, ir * (1 + this.#drift), stray)
    return volts + (NOISE_V + NOISE_SHARE * volts) * this.#random.gaussian()
  }

  heaterBoardC(): number {
    this.advance()
    return this.#vial.heaterC + TEMPERATURE_NOISE_C * this.#random.gaussian()
  }

  wallC(): number {
    this.advance()
    return this.#vial.cultureC
  }

  roomC(): number {
    return this.#parameters.roomC
  }

  setLight(channel: LedChannel, light: number): void {
    this.#lights.set(channel, light)
  }

  setDuty(load: Load, percent: number): void {
    this.advance()
    this.#inputs = { ...this.#inputs, [INPUTS[load]]: percent }
  }

  watchRotor(onEdge: (timeS: number) => void): () => void {
    this.#edgeListeners.add(onEdge)
    return () => void this.#edgeListeners.delete(onEdge)
  }

  /** Brings the world up to the clock, in whole steps. */
  advance(): void {
    const now = this.#clock.monotonicMs()
    while (this.#timeMs + STEP_MS <= now) this.#step()
  }

  #step(): void {
    const before = this.#vial
    this.#vial = stepVial(before, this.#inputs, this.#parameters, STEP_MS / 1000)
    this.#reportEdges(before.revolutions, this.#vial.revolutions)
    this.#timeMs += STEP_MS
    this.#untilDriftMs -= STEP_MS
    if (this.#untilDriftMs > 0) return
    this.#untilDriftMs += DRIFT_STEP_MS
    const kept = Math.exp(-DRIFT_STEP_MS / 1000 / DRIFT_TIME_CONSTANT_S)
    this.#drift = this.#drift * kept + DRIFT * Math.sqrt(1 - kept ** 2) * this.#driftRandom.gaussian()
  }

  #reportEdges(before: number, after: number): void {
    for (let whole = Math.floor(before) + 1; whole <= after; whole++) {
      const share = (whole - before) / (after - before)
      const timeS = (this.#timeMs + share * STEP_MS) / 1000 + EDGE_JITTER_S * this.#driftRandom.gaussian()
      for (const listener of this.#edgeListeners) listener(timeS)
    }
  }
}

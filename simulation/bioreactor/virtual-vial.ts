import type { Clock } from '../../events/ports.js'
import { LED_CHANNELS, type LedChannel } from '../../services/bioreactor/board/board.js'
import { createRandom, type Random } from '../random.js'
import { netGrowthPerHour, odOf } from './culture.js'
import { type Fault, FaultSet } from './faults.js'
import type { Pump, PumpDrive } from './liquid.js'
import { AGEING_PER_HOUR, type Angle, darkVolts, litVolts, UNCAPPED_V, vortexShade } from './optics.js'
import type { Load, PhysicalVial } from './physical-vial.js'
import { createRotorCourse, type RotorCourse } from './rotor-course.js'
import type { VialTruth } from './truth.js'
import {
  createVial,
  defaultParameters,
  type Inoculum,
  stepVial,
  type Vial,
  type VialInputs,
  type VialParameters,
  withStandard,
} from './vial.js'
import { createWander } from './wander.js'

export interface VirtualVialOptions {
  readonly clock: Clock
  readonly seed: number
  /** Where the photodiodes look, by their names in the wiring; those left out as by default: 1=REF, 2=90, 3=45, 4=135. */
  readonly angles?: Readonly<Record<string, Angle>>
  readonly irChannel?: LedChannel
  readonly mainsHz?: number
  readonly culture?: Inoculum
  readonly parameters?: Partial<VialParameters>
  /** Speed per duty cycle as a multiple of the stock motor's. */
  readonly motorGain?: number
}

/** The vial moves in steps of this length from one change of its inputs to the next, however often it is looked at: a seed and a history of
 * inputs fix its course. */
const STEP_MS = 1000

/** Noise of one conversion: V, and share of the signal. The co-processor sums many samples, the others take one. */
const NOISE_V = 0.00005
const NOISE_SHARE = 0.002
/** Of one reading of a temperature sensor: below its resolution, as the steady samples of `specs/bioreactor-jobs.md` §8.2 show. */
const TEMPERATURE_NOISE_C = 0.02
const NOISY_FACTOR = 30

/** Light of the IR LED wanders. */
const LED_DRIFT = { deviation: 0.003, timeConstantS: 1200, stepS: 10 }

/** A culture in its vessel, with what lights, stirs, heats and feeds it. Every call first brings it up to the clock. */
export class VirtualVial implements PhysicalVial {
  readonly #clock: Clock
  readonly #startMs: number
  readonly #random: Random
  readonly #drift: (timeS: number) => number
  readonly #options: VirtualVialOptions
  readonly #parameters: VialParameters
  readonly #faults = new FaultSet()
  readonly #held = new Map<string, number>()
  readonly #duty: Record<Load, number> = { stirring: 0, media: 0, alt_media: 0, waste: 0, heating: 0 }
  readonly #lights = new Map<LedChannel, number>()
  readonly #rotor: RotorCourse
  #intoGlass = false
  #inputs: VialInputs = this.#drives()
  #vial: Vial
  #vialMs: number
  /** As it is at the time last looked at, which may be between two steps. */
  #present: Vial
  #presentMs: number
  /** Hours of full light that the IR LED has given, up to a time. */
  #shone = { hours: 0, untilMs: 0 }

  constructor(options: VirtualVialOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#random = createRandom(options.seed)
    this.#drift = createWander(createRandom(options.seed + 1), LED_DRIFT)
    this.#parameters = { ...defaultParameters, ...options.parameters }
    this.#vial = createVial(options.culture, this.#parameters)
    this.#startMs = options.clock.monotonicMs()
    this.#present = this.#vial
    this.#vialMs = this.#startMs
    this.#presentMs = this.#startMs
    this.#shone.untilMs = this.#startMs
    this.#rotor = createRotorCourse(options.clock, createRandom(options.seed + 2), options.motorGain ?? 1)
  }

  photodiodeVolts(input: string): number {
    const { angles, irChannel = 'A', mainsHz = 50 } = this.#options
    const angle = this.#seen(angles?.[input] ?? STOCK_ANGLES[input])
    if (angle === undefined) return 0
    const timeS = this.#timeS()
    const light = (channel: LedChannel): number =>
      this.#faults.has('led_burnt_out', channel) ? 0 : (this.#lights.get(channel) ?? 0)
    const others = LED_CHANNELS.reduce((sum, channel) => sum + (channel === irChannel ? 0 : light(channel)), 0)
    const ir = light(irChannel) * (1 + this.#drift(timeS)) * (1 - AGEING_PER_HOUR * this.#hoursOfLight())
    const lit = litVolts(angle, odOf(this.#now().culture), ir, others) * vortexShade(angle, this.#rotor.rpm)
    const volts = darkVolts(timeS, mainsHz) + lit + (this.#faults.has('ambient_light') ? UNCAPPED_V : 0)
    return this.#sensed(input, volts, NOISE_V + NOISE_SHARE * volts)
  }

  /** Where the photodiode at the end of a cable really is. */
  #seen(angle: Angle | undefined): Angle | undefined {
    if (!this.#faults.has('photodiodes_swapped')) return angle
    return angle === 'REF' ? '90' : angle === '90' ? 'REF' : angle
  }

  heaterBoardC(): number {
    return this.#sensed('heater_board', this.#now().heat.heaterBoardC, TEMPERATURE_NOISE_C)
  }

  wallC(): number {
    return this.#sensed('infrared', this.#now().heat.wallC, TEMPERATURE_NOISE_C)
  }

  roomC(): number {
    return this.#parameters.roomC
  }

  setLight(channel: LedChannel, light: number): void {
    this.#hoursOfLight()
    this.#lights.set(channel, light)
  }

  setDuty(load: Load, percent: number): void {
    this.#change(() => {
      this.#duty[load] = percent
    })
  }

  watchRotor(onEdge: (timeS: number) => void): () => void {
    return this.#rotor.watch(onEdge)
  }

  /** Tells those who watch the rotor of the edges up to now. */
  reportEdges(): void {
    this.#rotor.report()
  }

  /** Resolves once the rotor turns and somebody watches, or when stopped. */
  turning(stop: AbortSignal): Promise<void> {
    return this.#rotor.turning(stop)
  }

  setFault(fault: Fault): void {
    this.#change(() => this.#faults.set(fault))
  }

  /** @param fault All of them when left out. */
  clearFault(fault?: Fault): void {
    this.#change(() => {
      if (fault === undefined) this.#faults.clearAll()
      else this.#faults.clear(fault)
    })
    for (const sensor of this.#held.keys()) if (!this.#faults.has('stuck', sensor)) this.#held.delete(sensor)
  }

  /** Puts in a vial with a standard of this optical density, which does not grow. */
  placeStandard(od: number): void {
    this.#change(() => {
      this.#vial = withStandard(this.#vial, od, this.#parameters)
      this.#present = this.#vial
    })
  }

  /** Leads the pumps from beakers into an empty measuring glass, or back to the vial. */
  pumpIntoGlass(into: boolean): void {
    this.#change(() => {
      this.#intoGlass = into
      this.#vial = { ...this.#vial, liquid: { ...this.#vial.liquid, glassMl: 0 } }
      this.#present = this.#vial
    })
  }

  get faults(): Pick<FaultSet, 'has' | 'list'> {
    return this.#faults
  }

  get truth(): VialTruth {
    const { liquid, culture, heat } = this.#now()
    const habitat = { cultureC: heat.cultureC, altMediaFraction: liquid.altMediaFraction }
    return {
      od: odOf(culture),
      viable_od: culture.viableOd,
      growth_rate_per_hour: netGrowthPerHour(culture, habitat, this.#parameters),
      nutrient: culture.nutrient,
      volume_ml: liquid.volumeMl,
      alt_media_fraction: liquid.altMediaFraction,
      media_in_ml: liquid.mediaInMl,
      alt_media_in_ml: liquid.altMediaInMl,
      waste_out_ml: liquid.wasteOutMl,
      spilled_ml: liquid.spilledMl,
      evaporated_ml: liquid.evaporatedMl,
      glass_ml: liquid.glassMl,
      culture_c: heat.cultureC,
      wall_c: heat.wallC,
      heater_board_c: heat.heaterBoardC,
      rpm: this.#rotor.rpm,
    }
  }

  /** Everything up to now happens under the inputs of before. */
  #change(make: () => void): void {
    this.#vial = this.#now()
    this.#vialMs = this.#clock.monotonicMs()
    make()
    this.#inputs = this.#drives()
    this.#rotor.drive(this.#duty.stirring, this.#faults.has('stirrer_stalled'))
  }

  /** Whole steps are kept. What is left of one is made anew by each look, so that looking changes nothing. */
  #now(): Vial {
    const now = this.#clock.monotonicMs()
    if (now === this.#presentMs) return this.#present
    while (this.#vialMs + STEP_MS <= now) {
      this.#vial = this.#after(STEP_MS)
      this.#vialMs += STEP_MS
    }
    this.#presentMs = now
    this.#present = now > this.#vialMs ? this.#after(now - this.#vialMs) : this.#vial
    return this.#present
  }

  #after(ms: number): Vial {
    return stepVial(this.#vial, this.#inputs, this.#parameters, ms / 1000)
  }

  #drives(): VialInputs {
    return {
      heaterPercent: this.#duty.heating,
      pumps: { media: this.#pump('media'), alt_media: this.#pump('alt_media'), waste: this.#pump('waste') },
      intoGlass: this.#intoGlass,
    }
  }

  #pump(pump: Pump): PumpDrive {
    return {
      percent: this.#faults.has('pump_blocked', pump) ? 0 : this.#duty[pump],
      submerged: !this.#faults.has('tube_out', pump),
    }
  }

  #sensed(sensor: string, value: number, noise: number): number {
    const factor = this.#faults.has('noisy', sensor) ? NOISY_FACTOR : 1
    const reading = value + factor * noise * this.#random.gaussian()
    if (!this.#faults.has('stuck', sensor)) return reading
    const held = this.#held.get(sensor) ?? reading
    this.#held.set(sensor, held)
    return held
  }

  #timeS(): number {
    return (this.#clock.monotonicMs() - this.#startMs) / 1000
  }

  #hoursOfLight(): number {
    const now = this.#clock.monotonicMs()
    const light = this.#lights.get(this.#options.irChannel ?? 'A') ?? 0
    this.#shone = { hours: this.#shone.hours + (light * (now - this.#shone.untilMs)) / 3_600_000, untilMs: now }
    return this.#shone.hours
  }
}

const STOCK_ANGLES: Readonly<Record<string, Angle>> = { pd1: 'REF', pd2: '90', pd3: '45', pd4: '135' }

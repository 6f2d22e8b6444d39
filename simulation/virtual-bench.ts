import type { Clock } from '../events/ports.js'
import { LED_CHANNELS, type LedChannel } from '../services/bioreactor/board/board.js'
import { shippedWiring } from '../services/bioreactor/board/hardware-profile.js'
import type { ProfileTables } from '../services/bioreactor/board/hardware-tables.js'
import { auxVolts } from '../services/bioreactor/chips/rail-voltage.codec.js'
import type { VirtualChip } from './chips/virtual-chip.js'
import { type Angle, photodiodeVolts } from './optics.js'
import { createRandom, type Random } from './random.js'
import { createVial, defaultParameters, stepVial, type Vial, type VialInputs, type VialParameters } from './vial.js'
import { createVirtualHat } from './virtual-hat.js'

/** What the bench drives at this moment. */
export interface BenchOutputs {
  /** Duty cycle in % by BCM pin. */
  readonly pwm: Readonly<Record<string, number>>
  /** Intensity in % by channel. */
  readonly leds: Readonly<Record<LedChannel, number>>
  /** Closed or open, by serial number of the potentiostat. */
  readonly cell_switches: Readonly<Record<string, boolean>>
}

export interface BenchOptions {
  readonly clock: Clock
  readonly seed: number
  /** By default HAT 1.2 with the 20 ml vessel 1.1, whose photodiodes are read by the co-processor. */
  readonly hat?: string
  readonly modelName?: string
  readonly modelVersion?: string
  /** Angle of each photodiode; by default 1=REF, 2=90, 3=45, 4=135. */
  readonly angles?: Readonly<Record<string, Angle>>
  readonly culture?: { readonly od?: number; readonly volumeMl?: number }
  readonly parameters?: Partial<VialParameters>
}

/** The world moves in steps of this length, whatever the clock does, so that a seed and a history of inputs fix its course. */
const STEP_MS = 50

/** Load of each PWM channel (stock `[PWM]` section). */
const LOADS = { '1': 'stirrer', '2': 'media', '3': 'altMedia', '4': 'waste', '5': 'heater' } as const

/** Noise of one conversion: V, and share of the signal. The co-processor sums many samples, the others take one. */
const NOISE_V = 0.00005
const NOISE_SHARE = 0.002

/** Light of the IR LED wanders: standard deviation, time constant, and how often it is moved on. */
const DRIFT = 0.003
const DRIFT_TIME_CONSTANT_S = 1200
const DRIFT_STEP_MS = 1000

const TEMPERATURE_NOISE_C = 0.02
const RAIL_V = 5
/** Mechanical jitter of a Hall edge. */
const EDGE_JITTER_S = 0.0002

/** A unit with its culture. Every call first brings the world up to the clock. */
export class VirtualBench {
  readonly hat: string
  readonly model: { readonly modelName: string; readonly modelVersion: string }
  readonly wiring: ProfileTables
  readonly #clock: Clock
  readonly #random: Random
  readonly #driftRandom: Random
  readonly #angles: Readonly<Record<string, Angle>>
  readonly #parameters: VialParameters
  readonly #chips: ReadonlyMap<number, VirtualChip>
  readonly #pwm = new Map<number, number>()
  readonly #leds = new Map<LedChannel, { readonly level: number; readonly light: number }>()
  readonly #cellSwitches = new Map<string, boolean>()
  readonly #edgeListeners = new Map<number, Set<(timeS: number) => void>>()
  readonly #outputListeners = new Set<(outputs: BenchOutputs) => void>()
  #vial: Vial
  #inputs: VialInputs = { stirrer: 0, heater: 0, media: 0, altMedia: 0, waste: 0 }
  #timeMs: number
  #drift = 0
  #untilDriftMs = DRIFT_STEP_MS

  constructor(options: BenchOptions) {
    this.hat = options.hat ?? '1.2'
    this.model = {
      modelName: options.modelName ?? 'pioreactor_20ml',
      modelVersion: options.modelVersion ?? '1.1',
    }
    this.wiring = shippedWiring({ hat: this.hat, ...this.model })
    this.#clock = options.clock
    this.#random = createRandom(options.seed)
    this.#driftRandom = createRandom(options.seed + 1)
    this.#angles = options.angles ?? { pd1: 'REF', pd2: '90', pd3: '45', pd4: '135' }
    this.#parameters = { ...defaultParameters, ...options.parameters }
    this.#vial = createVial({ ...options.culture, roomC: this.#parameters.roomC })
    this.#timeMs = options.clock.monotonicMs()
    for (const pin of Object.values(this.wiring.pwm.pwm_to_pin)) this.#pwm.set(pin, 0)
    this.#chips = createVirtualHat(options.clock, this.wiring, {
      analog: (name) => this.#analog(name),
      heaterBoardC: () => this.#vial.heaterC + TEMPERATURE_NOISE_C * this.#random.gaussian(),
      setLed: (channel, level, light) => {
        if (this.#leds.get(channel)?.level === level) return
        this.#leds.set(channel, { level, light })
        this.#tellOutputs()
      },
    })
  }

  /** One I2C transaction; null when nothing acknowledges the address. */
  transact(address: number, bytes: Uint8Array, readLength: number): Uint8Array | null {
    const chip = this.#chips.get(address)
    if (chip === undefined) return null
    this.advance()
    chip.write(bytes)
    return readLength === 0 ? new Uint8Array() : chip.read(readLength)
  }

  /** @param percent Effective duty cycle, 0 when disabled. */
  setPwm(pin: number, percent: number): void {
    if (this.#pwm.get(pin) === percent) return
    this.advance()
    this.#pwm.set(pin, percent)
    const channel = Object.entries(this.wiring.pwm.pwm_to_pin).find(([, wired]) => wired === pin)?.[0]
    if (channel !== undefined && channel in LOADS) {
      this.#inputs = { ...this.#inputs, [LOADS[channel as keyof typeof LOADS]]: percent }
    }
    this.#tellOutputs()
  }

  /** What a potentiostat reports of its counter-electrode switch. */
  setCellSwitch(serialNumber: string, closed: boolean): void {
    if (this.#cellSwitches.get(serialNumber) === closed) return
    this.#cellSwitches.set(serialNumber, closed)
    this.#tellOutputs()
  }

  /** Reports falling edges as the world moves on, with their time in s of the clock. */
  watchFalling(pin: number, listener: (timeS: number) => void): () => void {
    const listeners = this.#edgeListeners.get(pin) ?? new Set()
    this.#edgeListeners.set(pin, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  onOutputs(listener: (outputs: BenchOutputs) => void): () => void {
    this.#outputListeners.add(listener)
    return () => void this.#outputListeners.delete(listener)
  }

  get outputs(): BenchOutputs {
    const leds = { A: 0, B: 0, C: 0, D: 0 }
    for (const channel of LED_CHANNELS) leds[channel] = round(((this.#leds.get(channel)?.level ?? 0) / 255) * 100, 1)
    return {
      pwm: Object.fromEntries([...this.#pwm].map(([pin, percent]) => [String(pin), round(percent, 5)])),
      leds,
      cell_switches: Object.fromEntries(this.#cellSwitches),
    }
  }

  get vial(): Vial {
    this.advance()
    return this.#vial
  }

  /** Brings the world up to the clock, in whole steps. */
  advance(): void {
    const now = this.#clock.monotonicMs()
    while (this.#timeMs + STEP_MS <= now) this.#step()
  }

  /** Keeps the world moving, so that edges are reported in time.
   * @param intervalMs How often, ms of the clock. */
  async run(stop: AbortSignal, intervalMs = 100): Promise<void> {
    while (!stop.aborted) {
      this.advance()
      await this.#clock.sleepUntil(this.#clock.monotonicMs() + intervalMs, stop)
    }
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
    const listeners = this.#edgeListeners.get(this.wiring.gpio.hall_sensor_pin)
    for (let whole = Math.floor(before) + 1; whole <= after; whole++) {
      const share = (whole - before) / (after - before)
      const timeS = (this.#timeMs + share * STEP_MS) / 1000 + EDGE_JITTER_S * this.#driftRandom.gaussian()
      for (const listener of listeners ?? []) listener(timeS)
    }
  }

  #analog(name: string): number {
    const angle = this.#angles[name]
    if (angle === undefined) return name === 'aux' ? auxVolts(RAIL_V) : 0
    const light = (channel: LedChannel): number => this.#leds.get(channel)?.light ?? 0
    const others = light('B') + light('C') + light('D')
    const volts = photodiodeVolts(angle, this.#vial.od, light('A') * (1 + this.#drift), others)
    return volts + (NOISE_V + NOISE_SHARE * volts) * this.#random.gaussian()
  }

  #tellOutputs(): void {
    const { outputs } = this
    for (const listener of this.#outputListeners) listener(outputs)
  }
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

import type { Clock } from '../events/ports.js'
import { LED_CHANNELS, type LedChannel } from '../services/bioreactor/board/board.js'
import { shippedWiring } from '../services/bioreactor/board/hardware-profile.js'
import { builtInModels, type ProfileTables } from '../services/bioreactor/board/hardware-tables.js'
import { MLX90632_ADDRESS } from '../services/bioreactor/chips/mlx90632.codec.js'
import type { VirtualChip } from './bioreactor/chips/virtual-chip.js'
import type { Fault } from './bioreactor/faults.js'
import type { Load } from './bioreactor/physical-vial.js'
import type { VialTruth } from './bioreactor/truth.js'
import { createVirtualHat } from './bioreactor/virtual-hat.js'
import { VirtualLines } from './bioreactor/virtual-lines.js'
import { VirtualVial, type VirtualVialOptions } from './bioreactor/virtual-vial.js'

/** What the bench drives at this moment. */
export interface BenchOutputs {
  /** Duty cycle in % by BCM pin. */
  readonly pwm: Readonly<Record<string, number>>
  /** Intensity in % by channel. */
  readonly leds: Readonly<Record<LedChannel, number>>
  readonly status_led: boolean
  /** What twins beside the HAT say of their outputs, such as `cell_switches` by the serial number of the potentiostat. */
  readonly [kind: string]: Readonly<Record<string, number | boolean>> | boolean
}

export interface BenchOptions extends VirtualVialOptions {
  /** What hangs on each PWM channel, as section `[PWM]` of the configuration labels it; by default as in the stock one. The
   * heater's channel is that of the wiring. */
  readonly loads?: Readonly<Record<string, Load>>
  /** By default HAT 1.2 with the 20 ml vessel 1.1, whose photodiodes are read by the co-processor. */
  readonly hat?: string
  readonly modelName?: string
  readonly modelVersion?: string
  /** Whether the infrared thermometer, an add-on, looks at the vial. */
  readonly infrared?: boolean
}

const STOCK_LOADS: Readonly<Record<string, Load>> = {
  '1': 'stirring',
  '2': 'media',
  '3': 'alt_media',
  '4': 'waste',
}

const addressText = (address: number): string => `0x${address.toString(16).padStart(2, '0')}`

/** How faults name the chip at an address: by what it does, and by the address itself. */
function chipNames({ adc, dac, temp }: ProfileTables): ReadonlyMap<number, readonly string[]> {
  const named = [
    ...Object.entries(adc),
    ['leds', dac] as const,
    ['heater_board', temp] as const,
    ['infrared', { address: MLX90632_ADDRESS }] as const,
  ]
  const names = new Map<number, string[]>()
  for (const [name, { address }] of named) {
    const known = names.get(address) ?? [addressText(address)]
    names.set(address, [...known, name])
  }
  return names
}

const vesselOf = ({ modelName, modelVersion }: VirtualBench['model']): { readonly capacityMl?: number } => {
  const model = builtInModels.find((known) => known.model_name === modelName && known.model_version === modelVersion)
  return model === undefined ? {} : { capacityMl: model.reactor_capacity_ml }
}

/** A unit with its culture. Every call first brings the world up to the clock. */
export class VirtualBench {
  readonly hat: string
  readonly model: { readonly modelName: string; readonly modelVersion: string }
  readonly wiring: ProfileTables
  readonly #clock: Clock
  readonly #vial: VirtualVial
  /** GPIO lines of the header. */
  readonly lines: VirtualLines
  readonly #loads: Readonly<Record<string, Load>>
  readonly #chipNames: ReadonlyMap<number, readonly string[]>
  readonly #chips: ReadonlyMap<number, VirtualChip>
  readonly #pwm = new Map<number, number>()
  /** 8-bit values. */
  readonly #leds = new Map<LedChannel, number>()
  readonly #others = new Map<string, Record<string, number | boolean>>()
  readonly #outputListeners = new Set<(outputs: BenchOutputs) => void>()

  constructor(options: BenchOptions) {
    this.hat = options.hat ?? '1.2'
    this.model = {
      modelName: options.modelName ?? 'pioreactor_20ml',
      modelVersion: options.modelVersion ?? '1.1',
    }
    this.wiring = shippedWiring({ hat: this.hat, ...this.model })
    this.#clock = options.clock
    this.#vial = new VirtualVial({ ...options, parameters: { ...vesselOf(this.model), ...options.parameters } })
    this.lines = new VirtualLines(options.clock, this.wiring.gpio, this.#vial, () => this.#tellOutputs())
    this.#loads = options.loads ?? STOCK_LOADS
    this.#chipNames = chipNames(this.wiring)
    for (const pin of Object.values(this.wiring.pwm.pwm_to_pin)) this.#pwm.set(pin, 0)
    this.#chips = createVirtualHat(options.clock, this.wiring, {
      vial: this.#vial,
      infrared: options.infrared ?? false,
      setLed: (channel, level, light) => {
        if (this.#leds.get(channel) === level) return
        this.#vial.setLight(channel, light)
        this.#leds.set(channel, level)
        this.#tellOutputs()
      },
    })
  }

  /** One I2C transaction; null when nothing acknowledges the address. */
  transact(address: number, bytes: Uint8Array, readLength: number): Uint8Array | null {
    const chip = this.#chips.get(address)
    if (chip === undefined || this.#isFaulty('unplugged', address)) return null
    if (bytes.length + readLength > 0 && this.#isFaulty('i2c_error', address)) {
      chip.write(bytes.subarray(0, Math.ceil(bytes.length / 2)))
      return null
    }
    chip.write(bytes)
    return readLength === 0 ? new Uint8Array() : chip.read(readLength)
  }

  /** @param percent Effective duty cycle, 0 when disabled. */
  setPwm(pin: number, percent: number): void {
    if (this.#pwm.get(pin) === percent) return
    this.#pwm.set(pin, percent)
    const channel = Object.entries(this.wiring.pwm.pwm_to_pin).find(([, wired]) => wired === pin)?.[0]
    const load = channel === this.wiring.pwm.heater_pwm_channel ? 'heating' : this.#loads[channel ?? '']
    if (load !== undefined) this.#vial.setDuty(load, percent)
    this.#tellOutputs()
  }

  /** What a twin beside the HAT reports of an output. */
  setOutput(kind: string, name: string, value: number | boolean): void {
    const values = this.#others.get(kind)
    if (values?.[name] === value) return
    this.#others.set(kind, { ...values, [name]: value })
    this.#tellOutputs()
  }

  /** What goes wrong from now on. */
  setFault(fault: Fault): void {
    this.#vial.setFault(fault)
  }

  /** @param fault All of them when left out. */
  clearFault(fault?: Fault): void {
    this.#vial.clearFault(fault)
  }

  /** Puts in a vial with a standard of this optical density, which does not grow. */
  placeStandard(od: number): void {
    this.#vial.placeStandard(od)
  }

  /** Leads the pumps from beakers into an empty measuring glass, or back to the vial. */
  pumpIntoGlass(into: boolean): void {
    this.#vial.pumpIntoGlass(into)
  }

  /** As they are written. */
  get faults(): readonly string[] {
    return this.#vial.faults.list
  }

  /** What is so, whatever the sensors say. */
  get truth(): VialTruth {
    return this.#vial.truth
  }

  onOutputs(listener: (outputs: BenchOutputs) => void): () => void {
    this.#outputListeners.add(listener)
    return () => void this.#outputListeners.delete(listener)
  }

  get outputs(): BenchOutputs {
    const leds = { A: 0, B: 0, C: 0, D: 0 }
    for (const channel of LED_CHANNELS) leds[channel] = round(((this.#leds.get(channel) ?? 0) / 255) * 100, 1)
    return {
      pwm: Object.fromEntries([...this.#pwm].map(([pin, percent]) => [String(pin), round(percent, 5)])),
      leds,
      status_led: this.lines.statusLed,
      ...Object.fromEntries(this.#others),
    }
  }

  /** Reports edges in time, while the stirrer turns and somebody watches it. Nothing else needs a timer: the vial is worked out up to
   * the present when somebody looks.
   * @param intervalMs How often, ms of the clock. */
  async run(stop: AbortSignal, intervalMs = 100): Promise<void> {
    while (!stop.aborted) {
      await this.#vial.turning(stop)
      await this.#clock.sleepUntil(this.#clock.monotonicMs() + intervalMs, stop)
      this.reportEdges()
    }
  }

  /** Tells those who watch the Hall sensor of the edges up to now. */
  reportEdges(): void {
    this.#vial.reportEdges()
  }

  #isFaulty(name: 'unplugged' | 'i2c_error', address: number): boolean {
    const { faults } = this.#vial
    const names = this.#chipNames.get(address) ?? [addressText(address)]
    return names.some((chip) => faults.has(name, chip))
  }

  #tellOutputs(): void {
    if (this.#outputListeners.size === 0) return
    const { outputs } = this
    for (const listener of this.#outputListeners) listener(outputs)
  }
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

import type { Clock } from '../events/ports.js'
import { LED_CHANNELS, type LedChannel } from '../services/bioreactor/board/board.js'
import { shippedWiring } from '../services/bioreactor/board/hardware-profile.js'
import type { ProfileTables } from '../services/bioreactor/board/hardware-tables.js'
import type { VirtualChip } from './bioreactor/chips/virtual-chip.js'
import type { Load } from './bioreactor/physical-vial.js'
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
  /** Closed or open, by serial number of the potentiostat. */
  readonly cell_switches: Readonly<Record<string, boolean>>
}

export interface BenchOptions extends VirtualVialOptions {
  /** By default HAT 1.2 with the 20 ml vessel 1.1, whose photodiodes are read by the co-processor. */
  readonly hat?: string
  readonly modelName?: string
  readonly modelVersion?: string
  /** Whether the infrared thermometer, an add-on, looks at the vial. */
  readonly infrared?: boolean
}

/** Load of each PWM channel (stock `[PWM]` section). */
const LOADS: Readonly<Record<string, Load>> = {
  '1': 'stirring',
  '2': 'media',
  '3': 'alt_media',
  '4': 'waste',
  '5': 'heating',
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
  readonly #chips: ReadonlyMap<number, VirtualChip>
  readonly #pwm = new Map<number, number>()
  /** 8-bit values. */
  readonly #leds = new Map<LedChannel, number>()
  readonly #cellSwitches = new Map<string, boolean>()
  readonly #outputListeners = new Set<(outputs: BenchOutputs) => void>()

  constructor(options: BenchOptions) {
    this.hat = options.hat ?? '1.2'
    this.model = {
      modelName: options.modelName ?? 'pioreactor_20ml',
      modelVersion: options.modelVersion ?? '1.1',
    }
    this.wiring = shippedWiring({ hat: this.hat, ...this.model })
    this.#clock = options.clock
    this.#vial = new VirtualVial(options)
    this.lines = new VirtualLines(options.clock, this.wiring.gpio, this.#vial, () => this.#tellOutputs())
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
    if (chip === undefined) return null
    chip.write(bytes)
    return readLength === 0 ? new Uint8Array() : chip.read(readLength)
  }

  /** @param percent Effective duty cycle, 0 when disabled. */
  setPwm(pin: number, percent: number): void {
    if (this.#pwm.get(pin) === percent) return
    this.#pwm.set(pin, percent)
    const channel = Object.entries(this.wiring.pwm.pwm_to_pin).find(([, wired]) => wired === pin)?.[0]
    const load = LOADS[channel ?? '']
    if (load !== undefined) this.#vial.setDuty(load, percent)
    this.#tellOutputs()
  }

  /** What a potentiostat reports of its counter-electrode switch. */
  setCellSwitch(serialNumber: string, closed: boolean): void {
    if (this.#cellSwitches.get(serialNumber) === closed) return
    this.#cellSwitches.set(serialNumber, closed)
    this.#tellOutputs()
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
      cell_switches: Object.fromEntries(this.#cellSwitches),
    }
  }

  /** Keeps the world moving, so that edges are reported in time.
   * @param intervalMs How often, ms of the clock. */
  async run(stop: AbortSignal, intervalMs = 100): Promise<void> {
    while (!stop.aborted) {
      this.#vial.advance()
      await this.#clock.sleepUntil(this.#clock.monotonicMs() + intervalMs, stop)
    }
  }

  #tellOutputs(): void {
    const { outputs } = this
    for (const listener of this.#outputListeners) listener(outputs)
  }
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

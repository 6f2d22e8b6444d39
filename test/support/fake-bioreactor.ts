import { LabError } from '../../events/core/errors.js'
import type { Bioreactor, LedChannel, PdChannel, PhotodiodeAdc } from '../../services/bioreactor/board/board.js'
import { builtInModels } from '../../services/bioreactor/board/hardware-tables.js'
import { findModel } from '../../services/bioreactor/board/models.js'
import type { Gpio, PwmOutput, PwmOutputs, PwmState } from '../../services/transport/hardware.js'

/** One write to an output, in the order of the hardware. */
export interface Write {
  readonly output: string
  readonly value: number
}

/** A bioreactor without hardware: remembers every write, answers what the test says. */
export class FakeBioreactor implements Bioreactor {
  readonly board = {
    pwmPins: { 1: 17, 2: 13, 3: 16, 4: 12, 5: 18 },
    hallPin: 21,
    heaterPwmChannel: '5' as const,
    statusLedPin: 23,
    buttonPin: 4,
  }
  readonly model = findModel(builtInModels, 'pioreactor_20ml', '1.1')
  readonly writes: Write[] = []
  readonly duty = new Map<number, number>()
  hatPresent = true
  heaterBoardPresent = true
  /** Makes every write of a non-zero value fail. */
  broken = false
  /** What a write to an LED waits for. */
  ledBus: () => Promise<void> = async () => undefined
  /** What setting a PWM output waits for. */
  pwmFile: () => Promise<void> = async () => undefined
  /** How many of the next writes of 0 fail. */
  deafTo = 0
  /** What was driven on lines, in order. */
  readonly lines: { readonly pin: number; readonly high: boolean }[] = []
  linesBroken = false
  readonly #levelListeners = new Map<number, (high: boolean, timeS: number) => void>()
  readonly #edges = new Map<number, (timeS: number) => void>()
  readonly adcs = new Map<PdChannel, FakeAdc>()

  readonly pwm: PwmOutputs = {
    open: async (pin: number): Promise<PwmOutput> => ({
      pin,
      setDutyCycle: async (percent: number) => {
        await this.pwmFile()
        this.#write(`pin${pin}`, percent, () => this.duty.set(pin, percent))
      },
      close: async () => {
        this.#write(`pin${pin}`, 0, () => this.duty.delete(pin))
      },
    }),
    list: async (): Promise<readonly PwmState[]> =>
      Object.values(this.board.pwmPins).map((pin) => ({ pin, chip: 'fake', dutyCycle: this.duty.get(pin) ?? 0 })),
    off: async (pin: number) => this.#write(`pin${pin}`, 0, () => this.duty.delete(pin)),
    allOff: async () => this.duty.clear(),
  }

  readonly gpio: Gpio = {
    watchFalling: async (pin, onEdge) => {
      this.#edges.set(pin, onEdge)
      return async () => {
        this.#edges.delete(pin)
      }
    },
    watchLevel: async (pin, onLevel) => {
      this.#levelListeners.set(pin, onLevel)
      return async () => {
        this.#levelListeners.delete(pin)
      }
    },
    openOutput: async (pin) => {
      if (this.linesBroken) throw new LabError('hardware.no_line', 'hardware', `Line ${pin} cannot be used.`)
      const set = async (high: boolean): Promise<void> => {
        this.lines.push({ pin, high })
      }
      return { pin, set, close: () => set(false) }
    },
    consumerOf: async () => '',
  }

  readonly #levels: Record<LedChannel, number> = { A: 0, B: 0, C: 0, D: 0 }
  readonly leds = {
    state: this.#levels as Readonly<Record<LedChannel, number>>,
    set: async (channel: LedChannel, percent: number) => {
      await this.ledBus()
      this.#write(`led${channel}`, percent, () => {
        this.#levels[channel] = percent
      })
    },
  }

  async openPhotodiode(channel: PdChannel): Promise<PhotodiodeAdc> {
    const adc = this.adcs.get(channel)
    if (adc === undefined)
      throw new LabError('hardware.no_photodiode', 'hardware', `There is no photodiode ${channel}.`)
    return adc
  }

  /** V. */
  railVolts = 5
  /** °C; null makes the probe deaf. */
  heaterBoardC: number | null = 25

  async readRailVolts(): Promise<number> {
    return this.railVolts
  }

  async readHeaterBoardC(): Promise<number> {
    if (this.heaterBoardC === null) throw new LabError('hardware.no_device', 'hardware', 'The probe does not answer.')
    return this.heaterBoardC
  }

  async openInfrared(): Promise<never> {
    throw new LabError('hardware.no_device', 'hardware', 'There is no infrared thermometer.')
  }

  /** How often the computer was to be shut down. */
  powerOffs = 0

  async powerOff(): Promise<void> {
    this.powerOffs++
  }

  readonly identity = { hat: '1.2', hatSerialNumber: 'serial', computer: 'Raspberry Pi' }
  underVoltage: boolean | null = null

  async readFirmwareVersion(): Promise<string | null> {
    return '0.4'
  }

  async isUnderVoltage(): Promise<boolean | null> {
    return this.underVoltage
  }

  async isHatPresent(): Promise<boolean> {
    return this.hatPresent
  }

  async isHeaterBoardPresent(): Promise<boolean> {
    return this.heaterBoardPresent
  }

  /** Whether anybody listens to the pin. */
  isWatched(pin: number): boolean {
    return this.#edges.has(pin)
  }

  /** An input takes on a level. */
  drive(pin: number, high: boolean): void {
    this.#levelListeners.get(pin)?.(high, 0)
  }

  /** One falling edge of the Hall sensor. */
  edge(timeS: number): void {
    this.#edges.get(this.board.hallPin)?.(timeS)
  }

  #write(output: string, value: number, apply: () => void): void {
    if (value === 0 && this.deafTo-- > 0) throw new LabError('hardware.no_device', 'hardware', `${output} is deaf.`)
    if (this.broken && value > 0) throw new LabError('hardware.no_device', 'hardware', `${output} does not answer.`)
    this.writes.push({ output, value })
    apply()
  }
}

/** A converter whose input is a function of the light in the vial. */
export class FakeAdc implements PhotodiodeAdc {
  gain = 1
  readonly kind: PhotodiodeAdc['kind']
  readonly #volts: () => number

  constructor(kind: PhotodiodeAdc['kind'], volts: () => number) {
    this.kind = kind
    this.#volts = volts
  }

  gainFor(volts: number): number {
    return this.kind === 'pico' ? 1 : volts < 0.8704 ? 4 : volts < 1.7408 ? 2 : 1
  }

  async setGain(gain: number): Promise<void> {
    this.gain = gain
  }

  async readRaw(): Promise<number> {
    return Math.round(this.toRaw(this.#volts()))
  }

  toVolts(raw: number): number {
    return (raw / 32767) * (4.096 / this.gain)
  }

  toRaw(volts: number): number {
    return (volts / (4.096 / this.gain)) * 32767
  }
}

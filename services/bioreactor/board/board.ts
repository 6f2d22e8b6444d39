import type { Gpio, PwmOutputs } from '../../transport/hardware.js'
import type { InfraredThermometer } from '../chips/mlx90632.js'
import type { BioreactorModel } from './hardware-tables.js'

/** What the bioreactor's jobs see of the board: volts and percent, no registers. Channels are strings as in the configuration. */

export const PD_CHANNELS = ['1', '2', '3', '4'] as const
export type PdChannel = (typeof PD_CHANNELS)[number]
export const LED_CHANNELS = ['A', 'B', 'C', 'D'] as const
export type LedChannel = (typeof LED_CHANNELS)[number]
export type PwmChannel = '1' | '2' | '3' | '4' | '5'

/** The converter input behind one photodiode. Raw units are those of the present gain. */
export interface PhotodiodeAdc {
  readonly kind: 'ads1115' | 'ads1114' | 'pico'
  /** Present gain; always 1 where it is not programmable. */
  readonly gain: number
  /** Gain whose window (0.85 × nominal) holds the voltage; the present one when no window does or none is programmable.
   * Source: Pioreactor 26.7 `adcs`. */
  gainFor(volts: number): number
  /** The next `readRaw` is converted at this gain. @throws LabError when the converter has no such gain. */
  setGain(gain: number): Promise<void>
  /** One conversion, paced by the converter itself. @throws NoDevice */
  readRaw(): Promise<number>
  /** Raw units → V at the present gain; linear, so that fractions of a unit pass unrounded. */
  toVolts(raw: number): number
  /** V → raw units at the present gain; not rounded. */
  toRaw(volts: number): number
}

/** The four LED drivers. Nobody's lock: exclusion is a matter of the jobs. */
export interface LedOutputs {
  /** @param percent 0–100. @throws LabError when out of range; NoDevice */
  set(channel: LedChannel, percent: number): Promise<void>
  /** Intensities last written, %. */
  readonly state: Readonly<Record<LedChannel, number>>
}

/** Which pin does what on this board. Pins are BCM numbers. */
export interface BoardMap {
  readonly pwmPins: Readonly<Record<PwmChannel, number>>
  readonly hallPin: number
  readonly heaterPwmChannel: PwmChannel
  readonly statusLedPin: number
  readonly buttonPin: number
}

/** What the board and its computer say of themselves; null or empty where they say nothing. */
export interface BoardIdentity {
  /** Version of the HAT, such as `1.2`. */
  readonly hat: string | null
  readonly hatSerialNumber: string
  /** Model of the computer. */
  readonly computer: string
}

/** One bioreactor. Opening it touches no device; the first use does. */
export interface Bioreactor {
  /** The vessel, with its volumes and temperature limits. */
  readonly model: BioreactorModel
  readonly board: BoardMap
  readonly pwm: PwmOutputs
  readonly gpio: Gpio
  readonly leds: LedOutputs
  /** Prepares the converter of a photodiode (gain 1). @throws LabError when this model has no such photodiode; NoDevice */
  openPhotodiode(channel: PdChannel): Promise<PhotodiodeAdc>
  /** Supply of heater, pumps and stirrer, V. A co-processor with firmware 0.4 or later wraps above 12.3 V.
   * @param precision V, to a multiple of which it is rounded; 0.1 by default. @throws NoDevice */
  readRailVolts(precision?: number): Promise<number>
  /** Where the probe sits on the heater board, °C. @throws NoDevice */
  readHeaterBoardC(): Promise<number>
  /** The infrared thermometer that looks at the vial, an add-on. @throws NoDevice */
  openInfrared(): Promise<InfraredThermometer>
  readonly identity: BoardIdentity
  /** Of the co-processor, such as `0.4`; null where the HAT has none. @throws NoDevice */
  readFirmwareVersion(): Promise<string | null>
  /** Whether the computer's own supply is, or has been, too low; null where it cannot tell. */
  isUnderVoltage(): Promise<boolean | null>
  isHatPresent(): Promise<boolean>
  /** Whether the temperature sensor of the heater board answers; the Hall sensor sits on the same board. */
  isHeaterBoardPresent(): Promise<boolean>
  /** Shuts the computer down, where that is possible. @throws LabError when it refuses */
  powerOff(): Promise<void>
}

import { LED_CHANNELS, type LedChannel } from '../board/board.js'
import { ledLevel } from './led-level.codec.js'

/** I2C address of the co-processor of HAT 1.1 and 1.2. */
export const PICO_ADDRESS = 0x2c

/** The RP2040 of HAT 1.1 and 1.2: the first byte written selects a register, reads take exactly two bytes, little-endian
 * (Pioreactor RP2040 firmware 0.1–0.5). */

/** LED registers are 0x00–0x03, ADC registers 0x04–0x07. */
const ADC_POINTER = 0x04
export const FIRMWARE_VERSION_POINTER = 0x08

export const adcPointer = (channel: number): number => ADC_POINTER + channel

/** What a register pointer addresses. */
export function decodePointer(
  pointer: number,
): { readonly led: LedChannel } | { readonly adc: number } | { readonly version: true } | null {
  const led = LED_CHANNELS[pointer]
  if (led !== undefined) return { led }
  if (pointer >= ADC_POINTER && pointer < FIRMWARE_VERSION_POINTER) return { adc: pointer - ADC_POINTER }
  return pointer === FIRMWARE_VERSION_POINTER ? { version: true } : null
}

/** `[major, minor]`. */
export type FirmwareVersion = readonly [number, number]

/** The register holds minor, then major. */
export const decodeFirmwareVersion = (register: Uint8Array): FirmwareVersion => [register[1] ?? 0, register[0] ?? 0]
export const encodeFirmwareVersion = ([major, minor]: FirmwareVersion): Uint8Array => Uint8Array.of(minor, major)

/** How many 12-bit samples one raw value sums: 32 from firmware 0.4 on, 16 before. */
export const adcScale = ([major, minor]: FirmwareVersion): 16 | 32 => (major > 0 || minor >= 4 ? 32 : 16)

export const decodeAdc = (register: Uint8Array): number => (register[0] ?? 0) | ((register[1] ?? 0) << 8)

/** The firmware keeps 16 bits: with scale 32, inputs above 1.6504 V wrap around. */
export const encodeAdc = (raw: number): Uint8Array => Uint8Array.of(raw & 0xff, (raw >> 8) & 0xff)

const REFERENCE_V = 3.3
const TWELVE_BIT_MAX = 4095

export const rawToVolts = (raw: number, scale: 16 | 32): number => (raw / TWELVE_BIT_MAX / scale) * REFERENCE_V

/** Not truncated. */
export const voltsToRaw = (volts: number, scale: 16 | 32): number => (volts / REFERENCE_V) * TWELVE_BIT_MAX * scale

/** Write transaction that sets an LED to 0–100 %. */
export const encodeLed = (channel: LedChannel, percent: number): Uint8Array =>
  Uint8Array.of(LED_CHANNELS.indexOf(channel), ledLevel(percent))

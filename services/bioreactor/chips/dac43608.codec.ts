import { LED_CHANNELS, type LedChannel } from '../board/board.js'
import { ledLevel } from './led-level.codec.js'

/** I2C address of the LED driver of HAT 1.0. */
export const DAC43608_ADDRESS = 0x49

/** DAC43608, eight 8-bit channels with 16-bit big-endian registers (TI SLASEC3); LEDs A–D of HAT 1.0 are its channels A–D. */

export const CONFIG_COMMAND = 0x01

/** Data registers of channels A–H are 0x08–0x0F. */
const DATA_COMMAND = 0x08

/** Power-down bit of a channel in the configuration's low byte: 1 is off. */
const powerDownBit = (channel: LedChannel): number => 1 << LED_CHANNELS.indexOf(channel)

/** Low byte of the configuration register. */
export const decodePowerDown = (register: Uint8Array): number => register[1] ?? 0xff

export const withPower = (powerDown: number, channel: LedChannel, on: boolean): number =>
  on ? powerDown & ~powerDownBit(channel) & 0xff : powerDown | powerDownBit(channel)

export const isPoweredDown = (powerDown: number, channel: LedChannel): boolean =>
  (powerDown & powerDownBit(channel)) !== 0

/** Write transaction of the configuration register; the high byte stays 0. */
export const encodePowerDown = (powerDown: number): Uint8Array => Uint8Array.of(CONFIG_COMMAND, 0, powerDown)

/** Powers down all channels, whatever the register held. */
export const POWER_DOWN_ALL: Uint8Array = Uint8Array.of(CONFIG_COMMAND, 0x01, 0xff)

/** Write transaction of a channel's data register; the value sits in bits 11:4. */
export function encodeLevel(channel: LedChannel, percent: number): Uint8Array {
  const word = ledLevel(percent) << 4
  return Uint8Array.of(DATA_COMMAND + LED_CHANNELS.indexOf(channel), word >> 8, word & 0xff)
}

/** Channel and 8-bit value of a data-register write, null when it addresses something else. */
export function decodeLevel(write: Uint8Array): { readonly channel: LedChannel; readonly value: number } | null {
  const channel = LED_CHANNELS[(write[0] ?? 0) - DATA_COMMAND]
  if (channel === undefined || write.length < 3) return null
  return { channel, value: (((write[1] ?? 0) << 8) | (write[2] ?? 0)) >> 4 }
}

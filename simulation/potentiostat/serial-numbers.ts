import { usbSerialNumber } from '../../services/potentiostat/device/registers.js'

/** Words of a plausible STM32 unique id that carry the lot, not the chip. */
const LOT = [0x33365115, 0x20353252] as const
const FIRST_CHIP = 0x00410031
const CHIP_STRIDE = 0x00010003

/** USB serial number of the virtual device with this index: always the same. */
export const serialOfIndex = (index: number): string =>
  usbSerialNumber([(FIRST_CHIP + index * CHIP_STRIDE) >>> 0, LOT[0], LOT[1]])

/** A unique id (three words) whose USB serial number is `serial`, 12 hex digits. */
export function chipIdOf(serial: string): readonly [number, number, number] {
  const sum = Number.parseInt(serial.slice(0, 8), 16)
  const high = Number.parseInt(serial.slice(8, 12), 16)
  return [(sum - LOT[1]) >>> 0, ((high << 16) | (LOT[0] & 0xffff)) >>> 0, LOT[1]]
}

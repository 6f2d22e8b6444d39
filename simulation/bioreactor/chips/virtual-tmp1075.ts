import { encodeTemperatureC, TEMPERATURE_POINTER } from '../../../services/bioreactor/chips/tmp1075.codec.js'
import { clockOut, type VirtualChip } from './virtual-chip.js'

/** Device id register and its contents (TI SBOS854F). */
const DEVICE_ID_POINTER = 0x0f
const DEVICE_ID = Uint8Array.of(0x75, 0x00)

/** The TMP1075 of the heater board. @param celsius Its temperature at this moment. */
export function createVirtualTmp1075(celsius: () => number): VirtualChip {
  let pointer = TEMPERATURE_POINTER
  return {
    write([first]) {
      pointer = first ?? pointer
    },
    read(length) {
      if (pointer === TEMPERATURE_POINTER) return clockOut(encodeTemperatureC(celsius()), length)
      return clockOut(pointer === DEVICE_ID_POINTER ? DEVICE_ID : new Uint8Array(2), length)
    },
  }
}

/** TMP1075 (TI SBOS854F): 12-bit two's complement, left-justified, big-endian, 0.0625 °C per step. */

export const TEMPERATURE_POINTER = 0x00

const STEP_C = 0.0625

/** °C of the temperature register. Signed, where Pioreactor 26.7 reads −25 °C as 231 °C. */
export const decodeTemperatureC = (register: Uint8Array): number =>
  (new DataView(register.buffer, register.byteOffset, 2).getInt16(0) >> 4) * STEP_C

/** Register contents for a temperature between −128 and 127.9375 °C, rounded to a step; beyond, the end of the range. */
export function encodeTemperatureC(celsius: number): Uint8Array {
  const code = Math.min(2047, Math.max(-2048, Math.round(celsius / STEP_C)))
  const register = new Uint8Array(2)
  new DataView(register.buffer).setInt16(0, code << 4)
  return register
}

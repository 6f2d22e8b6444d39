/** 32-bit values in pairs of 16-bit registers, low word first. Floats are IEEE-754 binary32.
 * Source: BEEP firmware 1.0.0 stores register k at bytes 2k and 2k + 1 of a little-endian structure. */

/** Two registers per value. */
export function encodeFloats(values: ArrayLike<number>): Uint16Array {
  const view = new DataView(new ArrayBuffer(4 * values.length))
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i] ?? 0, true)
  return words(view)
}

/** One value per two registers; an odd last register is ignored. */
export function decodeFloats(registers: Uint16Array): Float32Array {
  const view = bytes(registers)
  return Float32Array.from({ length: registers.length >> 1 }, (_, i) => view.getFloat32(4 * i, true))
}

/** The float whose low word is `registers[at]`. */
export const decodeFloat = (registers: Uint16Array, at: number): number => pair(registers, at).getFloat32(0, true)

/** The signed integer whose low word is `registers[at]`. */
export const decodeInt32 = (registers: Uint16Array, at: number): number => pair(registers, at).getInt32(0, true)

/** The unsigned integer whose low word is `registers[at]`. */
export const decodeUint32 = (registers: Uint16Array, at: number): number => pair(registers, at).getUint32(0, true)

/** Two registers of an integer, −2³¹ … 2³² − 1. */
export const encodeInt32 = (value: number): Uint16Array => Uint16Array.of(value & 0xffff, value >>> 16)

const bytes = (registers: Uint16Array): DataView => {
  const view = new DataView(new ArrayBuffer(2 * registers.length))
  for (let i = 0; i < registers.length; i++) view.setUint16(2 * i, registers[i] ?? 0, true)
  return view
}

const pair = (registers: Uint16Array, at: number): DataView => bytes(registers.subarray(at, at + 2))

const words = (view: DataView): Uint16Array =>
  Uint16Array.from({ length: view.byteLength >> 1 }, (_, i) => view.getUint16(2 * i, true))

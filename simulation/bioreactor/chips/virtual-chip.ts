/** A chip on the virtual I2C bus. Every call is one half of a transaction that it acknowledged. */
export interface VirtualChip {
  /** Bytes written after the address; none for a zero-length write. */
  write(bytes: Uint8Array): void
  read(length: number): Uint8Array
}

/** Voltage at an input at this moment, noise of the electronics included. */
export type AnalogInput = () => number

/** The register's bytes, cut or padded with 0xFF to the length the master clocks out. */
export function clockOut(register: Uint8Array, length: number): Uint8Array {
  if (register.length === length) return register
  const bytes = new Uint8Array(length).fill(0xff)
  bytes.set(register.subarray(0, length))
  return bytes
}

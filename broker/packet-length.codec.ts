/** The variable-length number of the fixed header (MQTT 3.1.1 §2.2.3): seven bits a byte, lowest first, the eighth says that more follow. */

export const lengthBytes = (length: number): number =>
  length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4

/** Writes the number behind the first byte. @returns where the body begins */
export function writeLength(frame: Buffer, length: number): number {
  let at = 1
  let rest = length
  while (rest > 127) {
    frame[at++] = (rest & 127) | 128
    rest >>>= 7
  }
  frame[at++] = rest
  return at
}

import {
  decodeRequest,
  ExceptionCode,
  encodeException,
  encodeReadReply,
  encodeWriteReply,
  FunctionCode,
  hasValidCrc,
  type RegisterWrite,
} from '../../services/transport/modbus-rtu.codec.js'

/** The device's registers as bytes; a number is an exception code. */
export interface Registers {
  /** `length` bytes of the group from a byte offset, high byte of each register first. */
  read(group: number, offset: number, length: number): Uint8Array | number
  /** Registers high byte first; null when accepted. */
  write(group: number, offset: number, bytes: Uint8Array): number | null
}

const ADDRESSES: readonly (number | undefined)[] = [1, 255]
const FUNCTIONS: readonly (number | undefined)[] = Object.values(FunctionCode)
/** The length check of the firmware lets this many bytes through, more than its one-byte reply counter can bear. */
const MAX_CHECKED_BYTES = 252
const REPLY_OVERHEAD = 5

/** The firmware's answer to one frame; null when it stays silent. */
export function answerRequest(frame: Uint8Array, registers: Registers): Uint8Array | null {
  const [unit, functionCode] = frame
  if (unit === undefined || !ADDRESSES.includes(unit)) return null
  if (functionCode === undefined || !FUNCTIONS.includes(functionCode)) {
    return encodeException(unit, functionCode ?? 0, ExceptionCode.illegalFunction)
  }
  const request = hasValidCrc(frame) ? decodeRequest(frame) : null
  if (request === null) return encodeException(unit, functionCode, ExceptionCode.illegalDataValue)

  if (request.kind !== 'read') {
    const refused = write(request.write, registers)
    if (refused !== null) return encodeException(unit, functionCode, refused)
    if (request.kind === 'write') {
      return encodeWriteReply(unit, request.write.address, request.write.registers.length)
    }
  }
  const { address, count } = request.read
  const length = (2 * count) & 0xff
  const data =
    length > MAX_CHECKED_BYTES
      ? ExceptionCode.illegalDataAddress
      : registers.read(address >> 8, byteOffset(address), length)
  if (typeof data === 'number') return encodeException(unit, functionCode, data)
  return encodeReadReply(unit, functionCode, data).subarray(0, sentLength(data.length))
}

function write({ address, registers: words }: RegisterWrite, registers: Registers): number | null {
  const bytes = new Uint8Array(2 * words.length)
  for (const [i, word] of words.entries()) bytes.set([word >>> 8, word & 0xff], 2 * i)
  return registers.write(address >> 8, byteOffset(address), bytes)
}

const byteOffset = (address: number): number => (2 * address) & 0xff

/** Bytes that leave the device: the counter has eight bits. */
const sentLength = (dataLength: number): number => (dataLength + REPLY_OVERHEAD) & 0xff

import { defineError } from '../../events/core/errors.js'

/** Modbus RTU frames ⇄ values. Source: Modbus over Serial Line V1.02 §2.5; Modbus Application Protocol V1.1b3 §6, §7. */

export const FunctionCode = {
  readHolding: 0x03,
  readInput: 0x04,
  writeMultiple: 0x10,
  readWriteMultiple: 0x17,
} as const

export type ReadFunctionCode = typeof FunctionCode.readHolding | typeof FunctionCode.readInput

export const ExceptionCode = {
  illegalFunction: 1,
  illegalDataAddress: 2,
  illegalDataValue: 3,
  slaveDeviceBusy: 6,
} as const

/** Most registers of one read, of one write, and of the write part of a read/write request. */
export const MAX_READ_REGISTERS = 125
export const MAX_WRITE_REGISTERS = 123
const MAX_READ_WRITE_REGISTERS = 121

/** Bytes of an exception reply: unit, function | 0x80, code, CRC. */
const EXCEPTION_LENGTH = 5
const EXCEPTION_BIT = 0x80
/** Bytes of the reply to a write: unit, function, address, count, CRC. */
const WRITE_REPLY_LENGTH = 8

interface RegisterRange {
  /** First register, 0–65535. */
  readonly address: number
  /** Registers, at least 1. */
  readonly count: number
}

export type ModbusRequest =
  | {
      readonly kind: 'read'
      readonly unit: number
      readonly functionCode: ReadFunctionCode
      readonly read: RegisterRange
    }
  | { readonly kind: 'write'; readonly unit: number; readonly functionCode: 0x10; readonly write: RegisterWrite }
  | {
      readonly kind: 'readWrite'
      readonly unit: number
      readonly functionCode: 0x17
      readonly read: RegisterRange
      readonly write: RegisterWrite
    }

export interface RegisterWrite {
  readonly address: number
  readonly registers: Uint16Array
}

export type ModbusReply =
  | { readonly kind: 'registers'; readonly registers: Uint16Array }
  | { readonly kind: 'written'; readonly address: number; readonly count: number }
  | { readonly kind: 'exception'; readonly code: number }

/** A request of more registers than one frame can carry: our mistake, not the device's. */
export class TooManyRegisters extends defineError(
  'modbus.register_count',
  'defect',
  'More registers were asked for than fit into a frame.',
) {
  constructor(count: number, limit: number) {
    super(`A request of ${count} registers; 1 to ${limit} fit into one frame.`)
  }
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  return crc
})

/** CRC-16/MODBUS of `bytes[from, to)`; check value of ASCII `123456789` is 0x4b37. */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffff
  for (let i = from; i < to; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0)
  return crc
}

/** Whether the last two bytes of `bytes[from, to)` are the CRC of those before them. */
export function hasValidCrc(bytes: Uint8Array, from = 0, to = bytes.length): boolean {
  return to - from >= 4 && crc16(bytes, from, to - 2) === ((bytes[to - 2] ?? 0) | ((bytes[to - 1] ?? 0) << 8))
}

/** A request to read registers. */
export const readRequest = (
  unit: number,
  address: number,
  count: number,
  functionCode: ReadFunctionCode = FunctionCode.readHolding,
): ModbusRequest => ({
  kind: 'read',
  unit,
  functionCode,
  read: { address, count },
})

/** A request to write registers. */
export const writeRequest = (unit: number, address: number, registers: Uint16Array): ModbusRequest => ({
  kind: 'write',
  unit,
  functionCode: FunctionCode.writeMultiple,
  write: { address, registers },
})

/** The frame of a request. @throws TooManyRegisters */
export function encodeRequest(request: ModbusRequest): Uint8Array {
  if (request.kind !== 'write') checkCount(request.read.count, MAX_READ_REGISTERS)
  const writeLimit = request.kind === 'write' ? MAX_WRITE_REGISTERS : MAX_READ_WRITE_REGISTERS
  if (request.kind !== 'read') checkCount(request.write.registers.length, writeLimit)
  const bytes: number[] = [request.unit, request.functionCode]
  if (request.kind !== 'write') bytes.push(...word(request.read.address), ...word(request.read.count))
  if (request.kind !== 'read') {
    const { address, registers } = request.write
    bytes.push(...word(address), ...word(registers.length), 2 * registers.length)
    for (const register of registers) bytes.push(register >>> 8, register & 0xff)
  }
  return withCrc(bytes)
}

/** The request of a frame with its CRC already checked; null when the frame is none of the four functions or its lengths disagree. */
export function decodeRequest(frame: Uint8Array): ModbusRequest | null {
  if (requestLength(frame) !== frame.length) return null
  const unit = frame[0] ?? 0
  const functionCode = frame[1]
  switch (functionCode) {
    case FunctionCode.readHolding:
    case FunctionCode.readInput:
      return { kind: 'read', unit, functionCode, read: rangeAt(frame, 2) }
    case FunctionCode.writeMultiple: {
      const write = writeAt(frame, 2)
      return write && { kind: 'write', unit, functionCode, write }
    }
    case FunctionCode.readWriteMultiple: {
      const write = writeAt(frame, 6)
      return write && { kind: 'readWrite', unit, functionCode, read: rangeAt(frame, 2), write }
    }
    default:
      return null
  }
}

/** Length in bytes of the request that starts with `bytes`: null while too few bytes are known to tell, Infinity for another
 * function code, whose request only silence ends. */
export function requestLength(bytes: Uint8Array): number | null {
  switch (bytes[1]) {
    case undefined:
      return null
    case FunctionCode.readHolding:
    case FunctionCode.readInput:
      return 8
    case FunctionCode.writeMultiple:
      return bytes[6] === undefined ? null : 9 + bytes[6]
    case FunctionCode.readWriteMultiple:
      return bytes[10] === undefined ? null : 13 + bytes[10]
    default:
      return Number.POSITIVE_INFINITY
  }
}

/** The frame of a reply that carries registers as bytes, each register high byte first. */
export function encodeReadReply(unit: number, functionCode: number, data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(5 + data.length)
  frame.set([unit, functionCode, data.length])
  frame.set(data, 3)
  return sealed(frame)
}

/** The frame that acknowledges a write. */
export const encodeWriteReply = (unit: number, address: number, count: number): Uint8Array =>
  withCrc([unit, FunctionCode.writeMultiple, ...word(address), ...word(count)])

/** The frame that refuses a request. */
export const encodeException = (unit: number, functionCode: number, code: number): Uint8Array =>
  withCrc([unit, functionCode | EXCEPTION_BIT, code])

/** Finds the reply to one request in whatever arrives: chunks of any size, garbage before it, replies to others. */
export class ReplyParser {
  readonly #request: ModbusRequest
  readonly #length: number
  #bytes = new Uint8Array(0)

  constructor(request: ModbusRequest) {
    this.#request = request
    this.#length = request.kind === 'write' ? WRITE_REPLY_LENGTH : 5 + 2 * request.read.count
  }

  /** Takes what arrived; the reply once it is complete, else null. Bytes after the reply are dropped: a device sends only replies. */
  push(chunk: Uint8Array): ModbusReply | null {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length)
    bytes.set(this.#bytes)
    bytes.set(chunk, this.#bytes.length)
    let firstIncomplete = -1
    for (let at = 0; at < bytes.length; at++) {
      const length = this.#candidateLength(bytes, at)
      if (length === 0) continue
      if (at + length > bytes.length) {
        if (firstIncomplete < 0) firstIncomplete = at
      } else if (hasValidCrc(bytes, at, at + length)) {
        this.#bytes = new Uint8Array(0)
        return this.#decode(bytes.subarray(at, at + length))
      }
    }
    this.#bytes = firstIncomplete < 0 ? new Uint8Array(0) : bytes.slice(firstIncomplete)
    return null
  }

  /** Length of the reply that may start at `at`, 0 when none can: everything of the header that is known must match. */
  #candidateLength(bytes: Uint8Array, at: number): number {
    const { unit, functionCode } = this.#request
    if (bytes[at] !== unit) return 0
    const second = bytes[at + 1]
    if (second === (functionCode | EXCEPTION_BIT)) return EXCEPTION_LENGTH
    if (second !== undefined && second !== functionCode) return 0
    const header = this.#request.kind === 'write' ? writeHeader(this.#request.write) : [2 * this.#request.read.count]
    const matches = header.every((byte, i) => bytes[at + 2 + i] === undefined || bytes[at + 2 + i] === byte)
    return matches ? this.#length : 0
  }

  #decode(frame: Uint8Array): ModbusReply {
    if (frame.length === EXCEPTION_LENGTH) return { kind: 'exception', code: frame[2] ?? 0 }
    if (this.#request.kind === 'write') return { kind: 'written', ...rangeAt(frame, 2) }
    return { kind: 'registers', registers: registersAt(frame, 3, this.#request.read.count) }
  }
}

const checkCount = (count: number, limit: number): void => {
  if (!(count >= 1 && count <= limit)) throw new TooManyRegisters(count, limit)
}

const word = (value: number): [number, number] => [(value >>> 8) & 0xff, value & 0xff]

const writeHeader = ({ address, registers }: RegisterWrite): number[] => [...word(address), ...word(registers.length)]

const wordAt = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

const rangeAt = (bytes: Uint8Array, at: number): RegisterRange => ({
  address: wordAt(bytes, at),
  count: wordAt(bytes, at + 2),
})

const registersAt = (bytes: Uint8Array, at: number, count: number): Uint16Array =>
  Uint16Array.from({ length: count }, (_, i) => wordAt(bytes, at + 2 * i))

function writeAt(bytes: Uint8Array, at: number): RegisterWrite | null {
  const { address, count } = rangeAt(bytes, at)
  return bytes[at + 4] === 2 * count ? { address, registers: registersAt(bytes, at + 5, count) } : null
}

const withCrc = (bytes: readonly number[]): Uint8Array => sealed(Uint8Array.of(...bytes, 0, 0))

/** Writes the CRC, low byte first, into the last two bytes. */
function sealed(frame: Uint8Array): Uint8Array {
  const crc = crc16(frame, 0, frame.length - 2)
  frame[frame.length - 2] = crc & 0xff
  frame[frame.length - 1] = crc >>> 8
  return frame
}

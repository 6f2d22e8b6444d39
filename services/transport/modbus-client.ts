import { defineError } from '../../events/core/errors.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { SerialConnection } from './hardware.js'
import {
  encodeRequest,
  FunctionCode,
  type ModbusReply,
  type ModbusRequest,
  type ReadFunctionCode,
  ReplyParser,
  readRequest,
  writeRequest,
} from './modbus-rtu.codec.js'

/** The device refused a request. `modbusCode` is the exception code. */
export class ModbusException extends defineError(
  'modbus.exception',
  'hardware',
  'A potentiostat answered with an exception.',
) {
  readonly modbusCode: number
  constructor(modbusCode: number, what: string) {
    super(`The device refused ${what} with Modbus exception ${modbusCode}.`, {
      details: { modbus_code: modbusCode },
    })
    this.modbusCode = modbusCode
  }
}

/** No complete, intact reply came in time. Whether the device executed the request is unknown. */
export class ModbusTimeout extends defineError('modbus.timeout', 'hardware', 'A potentiostat did not answer in time.') {
  constructor(what: string, timeoutMs: number, attempts: number) {
    super(`No reply to ${what} within ${timeoutMs} ms, ${attempts} attempt(s).`, {
      remediation: 'Check the cable; unplug the device and plug it in again.',
    })
  }
}

/** The connection is closed: the device was unplugged, or we closed it. */
export class ConnectionLost extends defineError(
  'modbus.connection_lost',
  'hardware',
  'The serial connection to a potentiostat is gone.',
) {
  constructor(reason: string | null = null) {
    super(`The connection to the device is closed${reason === null ? '' : `: ${reason}`}.`)
  }
}

/** A 245-byte reply at 1.5 Mbaud takes 1.6 ms; 30 ms as in pyBEEP. Each further attempt waits twice as long: 450 ms in all. */
const REPLY_TIMEOUT_MS = 30
const ATTEMPTS = 4
/** A timeout passes in pieces, so that replies that arrived while this process was held up are seen before it ends. */
const TIMEOUT_SLICE_MS = 5

export interface RequestOptions {
  /** How often an unanswered request is sent; 1 for requests that must not be executed twice. */
  readonly attempts?: number
  /** Of the first attempt. */
  readonly timeoutMs?: number
}

/** A Modbus RTU master on one serial connection. Requests go out one at a time, in the order they were made, each as soon as the one
 * before it is answered: the device takes 0.2 ms of silence for the end of a frame and answers only then, so that the 1.75 ms between
 * frames of Modbus over Serial Line V1.02 §2.5.1.1 would wait for nothing on USB. */
export class ModbusClient {
  readonly #connection: SerialConnection
  readonly #unit: number
  readonly #serially = createSerialQueue()
  readonly #closed = new AbortController()
  /** By number of registers, when it is not 0x03: the reply to a read that timed out may still come, and names no address. The device
   * serves 0x04 alike, so that the next read of as many registers is not taken in by it. */
  readonly #readCodes = new Map<number, ReadFunctionCode>()
  #pending: ((chunk: Uint8Array) => void) | null = null
  #closeReason: string | null = null
  #retries = 0

  constructor(connection: SerialConnection, unit: number) {
    this.#connection = connection
    this.#unit = unit
    connection.onData((chunk) => this.#pending?.(chunk))
    connection.onClose((error) => {
      this.#closeReason = error?.message ?? null
      this.#closed.abort()
    })
    if (!connection.open) this.#closed.abort()
  }

  /** Aborted once the connection is gone. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Requests sent again so far. */
  get retries(): number {
    return this.#retries
  }

  /** @throws ModbusException, ModbusTimeout, ConnectionLost */
  async read(address: number, count: number, options?: RequestOptions): Promise<Uint16Array> {
    const reply = await this.#request(() => readRequest(this.#unit, address, count, this.#readCode(count)), options)
    return reply.kind === 'registers' ? reply.registers : new Uint16Array(0)
  }

  /** @throws ModbusException, ModbusTimeout, ConnectionLost */
  async write(address: number, registers: Uint16Array, options?: RequestOptions): Promise<void> {
    await this.#request(() => writeRequest(this.#unit, address, registers), options)
  }

  /** Closes the connection; what waits for a reply fails with ConnectionLost. */
  async close(): Promise<void> {
    this.#closed.abort()
    await this.#connection.close()
  }

  #readCode(count: number): ReadFunctionCode {
    return this.#readCodes.get(count) ?? FunctionCode.readHolding
  }

  #noteUnanswered(request: ModbusRequest): void {
    if (request.kind !== 'read') return
    const { readHolding, readInput } = FunctionCode
    this.#readCodes.set(request.read.count, request.functionCode === readHolding ? readInput : readHolding)
  }

  #request(
    next: () => ModbusRequest,
    { attempts = ATTEMPTS, timeoutMs = REPLY_TIMEOUT_MS }: RequestOptions = {},
  ): Promise<ModbusReply> {
    return this.#serially(async () => {
      for (let attempt = 1; ; attempt++) {
        const attemptMs = timeoutMs * 2 ** (attempt - 1)
        const request = next()
        const reply = await this.#exchange(request, encodeRequest(request), attemptMs)
        if (reply?.kind === 'exception') {
          // A frame that USB delivered in two pieces fails the device's CRC check, so refused values are worth another attempt.
          if (reply.code !== CUT_FRAME || attempt >= attempts) throw new ModbusException(reply.code, describe(request))
        } else if (reply !== null) return reply
        else {
          this.#noteUnanswered(request)
          if (attempt >= attempts) throw new ModbusTimeout(describe(request), attemptMs, attempt)
        }
        this.#retries += 1
      }
    })
  }

  /** Sends a frame once; null when no intact reply came in time. */
  async #exchange(request: ModbusRequest, frame: Uint8Array, timeoutMs: number): Promise<ModbusReply | null> {
    if (this.#closed.signal.aborted) throw new ConnectionLost(this.#closeReason)
    const parser = new ReplyParser(request)
    let settle: (reply: ModbusReply | null) => void = () => undefined
    const replied = new Promise<ModbusReply | null>((resolve) => {
      settle = resolve
    })
    const giveUp = (): void => settle(null)
    this.#pending = (chunk) => {
      const reply = parser.push(chunk)
      if (reply !== null) settle(reply)
    }
    // Wall time, not the bench's: the wire is real even where the bench's time is simulated.
    let leftMs = timeoutMs
    const wait = (): void => {
      leftMs -= TIMEOUT_SLICE_MS
      if (leftMs <= 0) giveUp()
      else timer = setTimeout(wait, TIMEOUT_SLICE_MS)
    }
    let timer = setTimeout(wait, TIMEOUT_SLICE_MS)
    this.#closed.signal.addEventListener('abort', giveUp, { once: true })
    try {
      await this.#connection.write(frame)
      return await replied
    } catch (cause) {
      this.#closed.abort()
      throw new ConnectionLost(cause instanceof Error ? cause.message : null)
    } finally {
      clearTimeout(timer)
      this.#closed.signal.removeEventListener('abort', giveUp)
      this.#pending = null
    }
  }
}

/** ILLEGAL_DATA_VALUE, which the firmware also answers to a CRC error. */
const CUT_FRAME = 3

const hex = (address: number): string => `0x${address.toString(16).padStart(4, '0')}`
const describe = (request: ModbusRequest): string =>
  request.kind === 'read'
    ? `a read of ${request.read.count} registers at ${hex(request.read.address)}`
    : `a write of ${request.write.registers.length} registers at ${hex(request.write.address)}`

import { ModbusException, ModbusTimeout } from '../../transport/modbus-client.js'
import { ExceptionCode } from '../../transport/modbus-rtu.codec.js'
import { encodeFloats } from '../../transport/register-values.codec.js'
import { PEEK_REGISTERS, type Potentiostat } from '../device/device.js'
import { BLOCK_REGISTERS, REGISTERS_PER_PAIR } from '../device/registers.js'

/** Pairs of one transfer. */
export const BLOCK_PAIRS = BLOCK_REGISTERS / REGISTERS_PER_PAIR

/** Consecutive samples: A and V. */
export interface Pairs {
  readonly current: Float32Array
  readonly potential: Float32Array
}

/** Takes pairs from the device's queue, each exactly once even when replies are lost: after an unanswered transfer the device's
 * transfer buffer shows whether it happened, and still holds its pairs. */
export class PairIntake {
  readonly #device: Potentiostat
  #received = 0
  /** How the transfer buffer begins; noise makes it different after every transfer. */
  #beginning: Uint16Array = new Uint16Array(0)

  constructor(device: Potentiostat) {
    this.#device = device
  }

  /** Pairs taken so far. */
  get received(): number {
    return this.#received
  }

  /** Looks at what earlier transfers left. Before the first `take`. */
  async prepare(): Promise<void> {
    this.#beginning = await this.#device.peek(0, PEEK_REGISTERS)
  }

  /** At most `BLOCK_PAIRS` pairs that are known to be queued; null when none were taken after all. */
  async take(count: number): Promise<Pairs | null> {
    const values = await this.#transfer(count)
    if (values === null) return null
    this.#beginning = encodeFloats(values.subarray(0, 2)).subarray(0, PEEK_REGISTERS)
    this.#received += count
    return split(values)
  }

  async #transfer(count: number): Promise<Float32Array | null> {
    try {
      return await this.#device.takePairs(count)
    } catch (error) {
      if (error instanceof ModbusException && error.modbusCode === ExceptionCode.slaveDeviceBusy) return null
      // A request that arrived damaged is refused and takes nothing.
      if (error instanceof ModbusException && error.modbusCode === ExceptionCode.illegalDataValue) return null
      if (!(error instanceof ModbusTimeout)) throw error
      const beginning = await this.#device.peek(0, PEEK_REGISTERS)
      if (beginning.every((register, index) => register === this.#beginning[index])) return null
      return await this.#device.lastPairs(count)
    }
  }
}

function split(values: Float32Array): Pairs {
  const current = new Float32Array(values.length >> 1)
  const potential = new Float32Array(values.length >> 1)
  for (let i = 0; i < current.length; i++) {
    current[i] = values[2 * i] ?? 0
    potential[i] = values[2 * i + 1] ?? 0
  }
  return { current, potential }
}

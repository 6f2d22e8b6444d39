import { ModbusException, ModbusTimeout } from '../transport/modbus-client.js'
import { ExceptionCode } from '../transport/modbus-rtu.codec.js'
import type { Potentiostat } from './device.js'
import type { Observation } from './observation.js'
import { BLOCK_REGISTERS, REGISTERS_PER_PAIR } from './registers.js'

/** Pairs of one transfer. */
export const BLOCK_PAIRS = BLOCK_REGISTERS / REGISTERS_PER_PAIR

/** Consecutive samples: A and V. */
export interface Pairs {
  readonly current: Float32Array
  readonly potential: Float32Array
}

/** Takes pairs from the device's queue, each exactly once even when replies are lost: an unanswered transfer is looked at again in
 * the device's transfer buffer, which it keeps. */
export class PairIntake {
  readonly #device: Potentiostat
  readonly #observation: Observation
  readonly #wasTaken: (count: number) => Promise<boolean>
  #received = 0

  /** @param wasTaken tells from the counts whether an unanswered transfer of `count` pairs happened. */
  constructor(device: Potentiostat, observation: Observation, wasTaken: (count: number) => Promise<boolean>) {
    this.#device = device
    this.#observation = observation
    this.#wasTaken = wasTaken
  }

  /** Pairs taken so far. */
  get received(): number {
    return this.#received
  }

  /** At most `BLOCK_PAIRS` pairs that are known to be queued; null when none were taken after all. */
  async take(count: number): Promise<Pairs | null> {
    const values = await this.#transfer(count)
    if (values === null) return null
    this.#received += count
    const pairs = split(values)
    this.#observation.countSaturated(pairs.current)
    return pairs
  }

  async #transfer(count: number): Promise<Float32Array | null> {
    try {
      return await this.#device.takePairs(count)
    } catch (error) {
      if (error instanceof ModbusException && error.modbusCode === ExceptionCode.slaveDeviceBusy) return null
      // A request that arrived damaged is refused and takes nothing.
      if (error instanceof ModbusException && error.modbusCode === ExceptionCode.illegalDataValue) return null
      if (!(error instanceof ModbusTimeout)) throw error
      if (!(await this.#wasTaken(count))) return null
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

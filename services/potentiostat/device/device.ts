import type { SerialConnection } from '../../transport/hardware.js'
import { ModbusClient, ModbusTimeout, type RequestOptions } from '../../transport/modbus-client.js'
import { decodeFloat, decodeFloats, decodeUint32, encodeFloats } from '../../transport/register-values.codec.js'
import {
  type CommandName,
  CURRENT_SAMPLES_ADDRESS,
  commandRegisters,
  decodeLiveValues,
  LIVE_VALUES_REGISTERS,
  type LiveValues,
  POTENTIAL_SAMPLES_ADDRESS,
  pidStartRegisters,
  REGISTERS_PER_PAIR,
  REGISTERS_PER_POINT,
  registerGroups,
  StateBit,
  UNIT_ADDRESS,
} from './registers.js'

/** FIFO transfers are executed once. Their replies are waited for, because asking what became of a transfer takes longer than a busy
 * machine takes to hand a reply over; on a line that has lost one, less long: the queue fills meanwhile. */
const TRANSFER_TIMEOUT_MS = 300
const LOSSY_TRANSFER_TIMEOUT_MS = 45
/** Many looks repair one lost transfer, while the queue fills. */
const PEEK = { timeoutMs: 10 } as const
const ONCE = { attempts: 1 } as const

/** A read of fewer registers than one pair takes nothing from the queue but shows the transfer buffer. */
export const PEEK_REGISTERS = REGISTERS_PER_PAIR - 1
/** Register offset of PID `output`, V. */
const PID_OUTPUT_REGISTER = 8
/** Register offset of PID `st_tm`, ms. */
const PID_EVALUATED_REGISTER = 14

/** The commands of one potentiostat. What is safe to repeat is repeated; the other commands have a comment. */
export class Potentiostat {
  readonly modbus: ModbusClient
  #transferTimeoutMs: number = TRANSFER_TIMEOUT_MS

  constructor(connection: SerialConnection) {
    this.modbus = new ModbusClient(connection, UNIT_ADDRESS)
  }

  async live(): Promise<LiveValues> {
    return decodeLiveValues(await this.modbus.read(registerGroups.liveValues.address, LIVE_VALUES_REGISTERS))
  }

  setGain(gain: number): Promise<void> {
    return this.#command('setTiaGain', gain)
  }

  setSwitch(closed: boolean): Promise<void> {
    return this.#command('setSwitch', closed ? 1 : 0)
  }

  clearPairs(): Promise<void> {
    return this.#command('clearFifo', 1)
  }

  /** Starts playing and recording, once: a repeated start would empty the ADC queue of a run that already goes. */
  fifoStart(cellClosed: boolean): Promise<void> {
    return this.#command('fifoStart', cellClosed ? 1 : 0, ONCE)
  }

  /** Target current in A. */
  pidStart(targetA: number): Promise<void> {
    return this.modbus.write(registerGroups.command.address, pidStartRegisters(targetA))
  }

  /** Asks to stop, once: sent to an idle device it stays latched and ends the next run. */
  testStop(): Promise<void> {
    return this.#command('testStop', 1, ONCE)
  }

  /** Asks a device at rest to stop: its next run ends by itself, cell open, when it has played what is queued. */
  latchStop(): Promise<void> {
    return this.#command('testStop', 1)
  }

  reset(): Promise<void> {
    return this.#command('reset', 1)
  }

  /** Sets the potential that the next start begins with, V. The other two outputs are written back as read. */
  async setPotential(volts: number): Promise<void> {
    const { address, length } = registerGroups.dacOutputs
    const registers = await this.modbus.read(address, length)
    registers.set(encodeFloats([volts]))
    await this.modbus.write(address, registers)
  }

  /** Length of the running averages of current and potential, readings. */
  async setFilter(samples: number): Promise<void> {
    await this.modbus.write(CURRENT_SAMPLES_ADDRESS, encodeFloats([samples]))
    await this.modbus.write(POTENTIAL_SAMPLES_ADDRESS, encodeFloats([samples]))
  }

  /** Length of the running average of the current, readings. */
  async filter(): Promise<number> {
    return decodeFloat(await this.modbus.read(CURRENT_SAMPLES_ADDRESS, 2), 0)
  }

  /** Potential that current control left behind and will continue from, V. */
  async controlOutput(): Promise<number> {
    const { address, length } = registerGroups.pid
    return decodeFloat(await this.modbus.read(address, length), PID_OUTPUT_REGISTER)
  }

  /** Volts by which current control moves its output in one millisecond, per ampere that is missing. */
  async controlGain(): Promise<number> {
    return decodeFloat(await this.modbus.read(registerGroups.pidConfig.address, 2), 0)
  }

  /** When current control was last evaluated, ms of the device. */
  async controlEvaluation(): Promise<number> {
    const { address, length } = registerGroups.pid
    return decodeUint32(await this.modbus.read(address, length), PID_EVALUATED_REGISTER)
  }

  /** Takes pairs from the ADC queue: current in A, potential in V, alternating.
   * @throws ModbusTimeout when it is unknown whether they were taken. */
  async takePairs(count: number): Promise<Float32Array> {
    const { address } = registerGroups.adcFifo
    return decodeFloats(
      await this.#transfer((options) => this.modbus.read(address, count * REGISTERS_PER_PAIR, options)),
    )
  }

  /** The pairs of the last transfer once more, without taking any. */
  async lastPairs(count: number): Promise<Float32Array> {
    const registers = new Uint16Array(count * REGISTERS_PER_PAIR)
    for (let at = 0, shorter = 0; at < registers.length; shorter = 1 - shorter) {
      // Replies do not name the address: neighbouring looks differ in length, so that a late reply is not taken for the next.
      const part = await this.peek(at, Math.min(PEEK_REGISTERS - shorter, registers.length - at))
      registers.set(part, at)
      at += part.length
    }
    return decodeFloats(registers)
  }

  /** At most `PEEK_REGISTERS` registers of the last transfer of pairs, from `offset` on. */
  peek(offset: number, count: number): Promise<Uint16Array> {
    return this.modbus.read(registerGroups.adcFifo.address + offset, count, PEEK)
  }

  /** Queues points, V. @throws ModbusTimeout when it is unknown whether they were queued. */
  queuePoints(points: Float32Array): Promise<void> {
    const { address } = registerGroups.dacFifo
    return this.#transfer((options) => this.modbus.write(address, encodeFloats(points), options))
  }

  /** The points written last, whether queued or not. */
  async lastPoints(count: number): Promise<Float32Array> {
    return decodeFloats(await this.modbus.read(registerGroups.dacFifo.address, count * REGISTERS_PER_POINT))
  }

  /** Overwrites the first register of the last points without queuing any, so that a later look tells whether others were written. */
  async markLastPoints(register: number): Promise<void> {
    await this.modbus.write(registerGroups.dacFifo.address, Uint16Array.of(register))
  }

  close(): Promise<void> {
    return this.modbus.close()
  }

  async #transfer<T>(send: (options: RequestOptions) => Promise<T>): Promise<T> {
    try {
      return await send({ attempts: 1, timeoutMs: this.#transferTimeoutMs })
    } catch (error) {
      if (error instanceof ModbusTimeout) this.#transferTimeoutMs = LOSSY_TRANSFER_TIMEOUT_MS
      throw error
    }
  }

  #command(
    name: Exclude<CommandName, 'pidStart'>,
    parameter: number,
    options?: { readonly attempts: number },
  ): Promise<void> {
    return this.modbus.write(registerGroups.command.address, commandRegisters(name, parameter), options)
  }
}

export const isRunning = ({ state }: LiveValues): boolean => (state & StateBit.run) !== 0
export const isStopping = ({ state }: LiveValues): boolean => (state & StateBit.stop) !== 0
export const isCurrentControlled = ({ state }: LiveValues): boolean => (state & StateBit.pid) !== 0
export const isCellClosed = ({ state }: LiveValues): boolean => (state & StateBit.cellSwitch) !== 0

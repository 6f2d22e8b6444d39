import {
  type CommandName,
  commandRegisters,
  decodeLiveValues,
  type LiveValues,
  pidStartRegisters,
} from '../../../services/potentiostat/device/registers.js'
import {
  encodeRequest,
  type ModbusReply,
  type ModbusRequest,
  ReplyParser,
  readRequest,
  writeRequest,
} from '../../../services/transport/modbus-rtu.codec.js'
import { decodeFloats, encodeFloats } from '../../../services/transport/register-values.codec.js'
import { cells } from '../../../simulation/potentiostat/cell-models.js'
import {
  VirtualPotentiostat,
  type VirtualPotentiostatOptions,
} from '../../../simulation/potentiostat/virtual-potentiostat.js'

/** A virtual device seen through its frames. */
export class GivenDevice {
  readonly device: VirtualPotentiostat

  constructor(options: Partial<VirtualPotentiostatOptions> = {}) {
    this.device = new VirtualPotentiostat({ serial: '206A30524D31', seed: 1, cell: cells.resistor, ...options })
  }

  run(seconds: number): void {
    for (let k = 0; k < Math.round(seconds / this.device.core.periodS); k++) this.device.step()
  }

  steps(count: number): void {
    for (let k = 0; k < count; k++) this.device.step()
  }

  ask(request: ModbusRequest): ModbusReply | null {
    const reply = this.device.handle(encodeRequest(request))
    return reply === null ? null : new ReplyParser(request).push(reply)
  }

  /** Registers, or `exception <code>`. */
  read(address: number, count: number): Uint16Array | string {
    const reply = this.ask(readRequest(1, address, count))
    if (reply?.kind === 'registers') return reply.registers
    return reply?.kind === 'exception' ? `exception ${reply.code}` : 'silence'
  }

  readFloats(address: number, count: number): number[] {
    const registers = this.read(address, 2 * count)
    if (typeof registers === 'string') throw new Error(registers)
    return [...decodeFloats(registers)]
  }

  /** `ok`, or `exception <code>`. */
  write(address: number, registers: Uint16Array): string {
    const reply = this.ask(writeRequest(1, address, registers))
    if (reply?.kind === 'written') return 'ok'
    return reply?.kind === 'exception' ? `exception ${reply.code}` : 'silence'
  }

  command(name: Exclude<CommandName, 'pidStart'>, parameter = 0): string {
    return this.write(0x4f00, commandRegisters(name, parameter))
  }

  startPid(targetA: number): string {
    return this.write(0x4f00, pidStartRegisters(targetA))
  }

  points(...potentialsV: number[]): string {
    return this.write(0x0200, encodeFloats(potentialsV))
  }

  live(): LiveValues {
    const registers = this.read(0x0300, 24)
    if (typeof registers === 'string') throw new Error(registers)
    return decodeLiveValues(registers)
  }
}

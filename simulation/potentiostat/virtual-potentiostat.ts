import { Command, MAX_TIA_GAIN_INDEX, StateBit } from '../../services/potentiostat/device/registers.js'
import { ExceptionCode } from '../../services/transport/modbus-rtu.codec.js'
import { Calendar } from './calendar.js'
import { answerRequest, type Registers } from './modbus-answers.js'
import { PotentiostatCore, type PotentiostatCoreOptions } from './potentiostat-core.js'
import { accessBit, type GroupMemory, RegisterMemory } from './register-memory.js'
import { chipIdOf } from './serial-numbers.js'

export interface VirtualPotentiostatOptions extends PotentiostatCoreOptions {
  /** USB serial number, 12 upper-case hex digits. */
  readonly serial: string
  readonly temperatureC?: number
  readonly humidityPercent?: number
}

const BOOTLOADER_WORD = 'BOOT_DFU_MODE'
const BOOTLOADER_ACKNOWLEDGEMENT = 'ACK:BOOT: 0xDEADBEEF\r\n'
/** From the command to the reset, from the bootloader word to the jump. */
const RESET_DELAY_S = 0.025
const BOOTLOADER_DELAY_S = 0.1
/** Until USB is back after a reset; after the bootloader, which nobody uses here. */
const ENUMERATION_S = 0.3
const BOOTLOADER_S = 3
/** One page erase of the flash halts the core. */
const FLASH_ERASE_S = 0.022
const MASTER_PASSWORD = '1357BKDR'
const EVERYTHING_ALLOWED = 0xffff
/** Bits 0, 2 and 3. */
const MASTER_ACCESS = 0b1101
const PASSWORD_OFFSET = 12
const REFUSED_VALUE = ExceptionCode.illegalDataValue
const REFUSED_ADDRESS = ExceptionCode.illegalDataAddress

/** A BEEP potentiostat, firmware 1.0.0, as a pure state machine: `handle` answers one frame, `step` lets one control period pass. */
export class VirtualPotentiostat implements Registers {
  readonly serial: string
  readonly core: PotentiostatCore
  readonly #memory = new RegisterMemory()
  readonly #calendar = new Calendar()
  readonly #environment: readonly [temperatureC: number, humidityPercent: number]
  /** When the next reset comes, and how long the port is gone after it. */
  #reset: { readonly atS: number; readonly absenceS: number } | null = null
  #backAtS = 0
  #eraseAtS = Number.NEGATIVE_INFINITY
  #flashWrites = 1

  constructor(options: VirtualPotentiostatOptions) {
    this.serial = options.serial
    this.core = new PotentiostatCore(options)
    this.#environment = [options.temperatureC ?? 25, options.humidityPercent ?? 40]
    this.core.pidConstants = (index) => this.#memory.view('pidConfig').getFloat32(4 * index, true)
    this.#boot()
  }

  get cellSwitchClosed(): boolean {
    return this.core.has(StateBit.cellSwitch)
  }

  get running(): boolean {
    return this.core.has(StateBit.run)
  }

  /** Set value of the potential DAC in V. */
  get setV(): number {
    return this.core.analog.setV
  }

  /** False while the USB port is gone: during a reset and in the bootloader. */
  get attached(): boolean {
    return this.core.timeS >= this.#backAtS
  }

  /** The reply to what arrived between two silences; null when there is none. */
  handle(frame: Uint8Array): Uint8Array | null {
    if (!this.attached || frame.length === 0) return null
    if (BOOTLOADER_WORD.startsWith(String.fromCharCode(...frame.subarray(0, 256)))) {
      this.#leave(BOOTLOADER_DELAY_S, BOOTLOADER_S)
      return Buffer.from(BOOTLOADER_ACKNOWLEDGEMENT, 'latin1')
    }
    return answerRequest(frame, this)
  }

  /** Lets one control period pass. */
  step(): void {
    const sinceEraseS = this.core.timeS - this.#eraseAtS
    this.core.step(sinceEraseS >= 0 && sinceEraseS < FLASH_ERASE_S)
    if (this.#reset === null || this.core.timeS < this.#reset.atS) return
    this.#backAtS = this.core.timeS + this.#reset.absenceS
    this.#boot()
  }

  read(code: number, offset: number, length: number): Uint8Array | number {
    const group = this.#memory.find(code)
    if (group === undefined || !this.#allowed(group, 'read')) return REFUSED_ADDRESS
    if (offset + length > group.bytes.length) return REFUSED_ADDRESS
    const refused = this.#prepare(group, length)
    return refused ?? swapped(group.bytes.subarray(offset, offset + length))
  }

  write(code: number, offset: number, bytes: Uint8Array): number | null {
    const group = this.#memory.find(code)
    if (group === undefined || !this.#allowed(group, 'write')) return REFUSED_ADDRESS
    if (offset > 252 || offset + bytes.length > group.bytes.length) return REFUSED_ADDRESS
    group.bytes.set(swapped(bytes), offset)
    return this.#act(group, bytes.length)
  }

  #allowed(group: GroupMemory, direction: 'read' | 'write'): boolean {
    if (group.access !== 'read-write' && group.access !== direction) return false
    return (this.#memory.view('password').getUint32(0, true) & accessBit(group.name, direction)) !== 0
  }

  /** Brings a group up to date before it is read. */
  #prepare(group: GroupMemory, length: number): number | null {
    const { core } = this
    const { analog, galvanostat } = core
    switch (group.name) {
      case 'adcFifo': {
        const pairs = length >> 3
        if (core.adcFifo.length < pairs) return ExceptionCode.slaveDeviceBusy
        core.adcFifo.drainInto(group.view, pairs)
        return null
      }
      case 'liveValues': {
        const [temperatureC, humidityPercent] = this.#environment
        const values = [core.analog.currentA, analog.meanPotentialV, analog.drivePinV, analog.tiaReferenceV]
        this.#memory.setFloats('liveValues', [...values, analog.midSupplyV, temperatureC, humidityPercent, analog.ohm])
        const counts = [core.adcElements, core.dacElements, core.sampleTicks, core.state]
        for (const [i, count] of counts.entries()) group.view.setInt32(32 + 4 * i, count, true)
        return null
      }
      case 'analog':
        this.#memory.setFloats('analog', [analog.meanCurrentPinV, analog.meanPotentialV, 3.3, 1.1, 3.3])
        return null
      case 'dacOutputs':
        this.#memory.setFloats('dacOutputs', [analog.setV, analog.tiaReferenceV, analog.midSupplyV])
        return null
      case 'pid': {
        const { targetA, error, derivative, integral, outputV, lastError, lastOutputV, evaluatedMs } = galvanostat
        const values = [targetA, error, derivative, integral, outputV, lastError, lastOutputV]
        this.#memory.setFloats('pid', values)
        group.view.setUint32(28, evaluatedMs, true)
        return null
      }
      case 'flashStatus':
        group.view.setUint32(8, this.#flashWrites, true)
        return null
      case 'dateTime':
        this.#memory.setWords('dateTime', this.#calendar.fields(core.timeS))
        return null
      default:
        return null
    }
  }

  /** What a write sets off. The bytes stay even when it is refused. */
  #act(group: GroupMemory, length: number): number | null {
    const { analog, dacFifo } = this.core
    const float = (index: number): number => group.view.getFloat32(4 * index, true)
    switch (group.name) {
      case 'dacFifo': {
        const points = length >> 2
        if (dacFifo.room < points) return ExceptionCode.slaveDeviceBusy
        for (let i = 0; i < points; i++) dacFifo.push(float(i))
        return null
      }
      case 'dacOutputs':
        analog.tiaReferenceV = float(1)
        if (float(2) !== Math.fround(analog.midSupplyV)) {
          analog.setMidSupply(float(2))
          this.#storeOffsets()
        }
        analog.drivePotential(float(0))
        return null
      case 'analogInConfig':
      case 'analogOutConfig':
        this.#applyScales()
        return null
      case 'dateTime':
        this.#calendar.set(
          Array.from({ length: 6 }, (_, i) => group.view.getInt32(4 * i, true)),
          this.core.timeS,
        )
        return null
      case 'command':
        return this.#execute(group)
      case 'password':
        return this.#checkPassword(group)
      case 'passwordLevel':
        return REFUSED_VALUE
      default:
        return null
    }
  }

  /** Integer commands look at the low byte of register 1 only, whatever was written last. */
  #execute({ bytes, view }: GroupMemory): number | null {
    const { core } = this
    const parameter = bytes[2] ?? 0
    switch (view.getUint16(0, true)) {
      case Command.sensorZero:
        this.#zeroSensors()
        return null
      case Command.reset:
        if (parameter !== 0) this.#leave(RESET_DELAY_S, ENUMERATION_S)
        return null
      case Command.loadDefaults:
        this.#memory.loadDefaults()
        this.#applyScales()
        return null
      case Command.setTiaGain:
        if (parameter > MAX_TIA_GAIN_INDEX) return REFUSED_VALUE
        core.setGain(parameter)
        return null
      case Command.setSwitch:
        core.setSwitch(parameter !== 0)
        return null
      case Command.fifoStart:
        core.startFifo(parameter !== 0)
        return null
      case Command.pidStart:
        if (Number.isFinite(view.getFloat32(2, true))) core.startPid(view.getFloat32(2, true))
        return null
      case Command.testStop:
        core.requestStop()
        return null
      case Command.clearFifo:
        if (parameter !== 0) core.adcFifo.clear()
        return null
      case Command.saveConfig:
        this.#flashWrites++
        this.#eraseAtS = core.timeS + RESET_DELAY_S
        return null
      default:
        return REFUSED_VALUE
    }
  }

  /** The firmware adds the present error to the potential but replaces the current's offset, so a second call undoes that part. */
  #zeroSensors(): void {
    const { analog } = this.core
    analog.current.offset = analog.midSupplyV - analog.meanCurrentPinV
    analog.potential.offset -= analog.meanPotentialV
    this.#storeOffsets()
  }

  #storeOffsets(): void {
    const { current, potential, drive } = this.core.analog
    const inputs = this.#memory.view('analogInConfig')
    inputs.setFloat32(4, current.offset, true)
    inputs.setFloat32(16, potential.offset, true)
    this.#memory.view('analogOutConfig').setFloat32(4, drive.offset, true)
  }

  #applyScales(): void {
    const { current, potential, drive } = this.core.analog
    const inputs = this.#memory.view('analogInConfig')
    for (const [i, channel] of [current, potential].entries()) {
      channel.slope = inputs.getFloat32(12 * i, true)
      channel.offset = inputs.getFloat32(12 * i + 4, true)
      channel.samples = inputs.getFloat32(12 * i + 8, true)
    }
    const outputs = this.#memory.view('analogOutConfig')
    drive.slope = outputs.getFloat32(0, true)
    drive.offset = outputs.getFloat32(4, true)
  }

  #checkPassword({ bytes, view }: GroupMemory): number | null {
    const password = String.fromCharCode(...bytes.subarray(PASSWORD_OFFSET, PASSWORD_OFFSET + MASTER_PASSWORD.length))
    if (password !== MASTER_PASSWORD) return REFUSED_VALUE
    view.setUint32(0, MASTER_ACCESS, true)
    return null
  }

  #leave(delayS: number, absenceS: number): void {
    this.#reset = { atS: this.core.timeS + delayS, absenceS }
  }

  #boot(): void {
    this.#reset = null
    this.#flashWrites = 1
    this.core.reset()
    this.#calendar.reset(this.core.timeS)
    this.#memory.reset()
    this.#memory.setWords('chipId', chipIdOf(this.serial))
    this.#memory.setWords('password', [EVERYTHING_ALLOWED])
    this.#applyScales()
  }
}

/** Bytes of registers in the other order within each register. */
function swapped(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length)
  for (let i = 0; i + 1 < bytes.length; i += 2) result.set([bytes[i + 1] ?? 0, bytes[i] ?? 0], i)
  return result
}

/** The register map of the BEEP potentiostat, firmware 1.0.0, and what its numbers mean. An address is `group << 8 | offset`, the offset
 * counting registers inside the group. Source: BEEP firmware (STM32G473) and pyBEEP 0.1.2, where not said otherwise. */

import { roundHalfEven } from '../../../primitives/round.js'
import { decodeFloat, decodeInt32, decodeUint32, encodeFloats } from '../../transport/register-values.codec.js'

/** Modbus address of every device; 255 is accepted too. */
export const UNIT_ADDRESS = 1

/** Time between control steps in s: one pair out and one point in. pyBEEP's POINT_INTERVAL, an empirical figure; `sampleTicks` of the
 * live values has the true one. */
export const NOMINAL_PERIOD_S = 0.00036

/** One tick of the microsecond counter in s: prescaler 171 at 170 MHz. */
export const TICK_S = 171e-6 / 170

/** Pairs (current, potential) the device keeps for us; when full the oldest is overwritten without a word. */
export const ADC_FIFO_PAIRS = 2048
/** Points (potential) the device keeps to play; a write that does not fit is refused as a whole. */
export const DAC_FIFO_POINTS = 4096

/** Registers of one FIFO transfer in pyBEEP: 30 pairs or 60 points. */
export const BLOCK_REGISTERS = 120
export const REGISTERS_PER_PAIR = 4
export const REGISTERS_PER_POINT = 2

export interface RegisterGroup {
  /** Address of register 0. */
  readonly address: number
  /** Registers of the group. */
  readonly length: number
  readonly access: 'read' | 'write' | 'read-write'
}

const group = (code: number, length: number, access: RegisterGroup['access']): RegisterGroup => ({
  address: code << 8,
  length,
  access,
})

/** Every implemented group. The length of `chipId` is what the device allows; only the first 8 registers mean anything.
 * Never write the two password groups: the device stores before it checks and can lock itself until reset. */
export const registerGroups = {
  adcFifo: group(0x01, 128, 'read'),
  dacFifo: group(0x02, 128, 'read-write'),
  liveValues: group(0x03, 26, 'read'),
  analog: group(0x04, 10, 'read'),
  dacOutputs: group(0x05, 6, 'read-write'),
  pid: group(0x06, 16, 'read'),
  analogInConfig: group(0x30, 30, 'read-write'),
  analogOutConfig: group(0x31, 18, 'read-write'),
  pidConfig: group(0x32, 22, 'read-write'),
  systemConfig: group(0x40, 8, 'read-write'),
  chipId: group(0x43, 108, 'read'),
  flashStatus: group(0x44, 6, 'read'),
  dateTime: group(0x45, 18, 'read-write'),
  command: group(0x4f, 10, 'write'),
  password: group(0x50, 14, 'read-write'),
  passwordLevel: group(0x51, 4, 'read-write'),
} as const satisfies Record<string, RegisterGroup>

/** Registers of the live values that carry something; the last two of the group are padding. */
export const LIVE_VALUES_REGISTERS = 24

/** Addresses of the running-average lengths (float) of current and potential; 100 readings after a reset. */
export const CURRENT_SAMPLES_ADDRESS = registerGroups.analogInConfig.address + 4
export const POTENTIAL_SAMPLES_ADDRESS = registerGroups.analogInConfig.address + 10
export const DEFAULT_FILTER_SAMPLES = 100

export const Command = {
  sensorZero: 0xe0,
  reset: 0xe1,
  loadDefaults: 0xe2,
  setTiaGain: 0xe3,
  setSwitch: 0xe4,
  fifoStart: 0xe5,
  pidStart: 0xe6,
  testStop: 0xe7,
  clearFifo: 0xe8,
  saveConfig: 0xf0,
} as const

export type CommandName = keyof typeof Command

/** Registers of a command with an integer parameter, 0–255. The parameter is always sent: the device keeps the old one. */
export const commandRegisters = (command: Exclude<CommandName, 'pidStart'>, parameter: number): Uint16Array =>
  Uint16Array.of(Command[command], parameter & 0xff)

/** Registers of PID_START; target current in A, finite. */
export const pidStartRegisters = (targetA: number): Uint16Array =>
  Uint16Array.of(Command.pidStart, ...encodeFloats([targetA]))

/** Bits of `state`. */
export const StateBit = { fifo: 0x004, pid: 0x008, run: 0x010, stop: 0x020, cellSwitch: 0x100 } as const

/** What register group 0x03 says. */
export interface LiveValues {
  /** Filtered cell current and reference-electrode potential. */
  readonly currentA: number
  readonly potentialV: number
  /** Pin voltages of the three DACs; the first is not clamped to the pin's range. */
  readonly potentialDacV: number
  readonly tiaReferenceV: number
  readonly midSupplyV: number
  /** Ambient, from the SHTC3; NaN after a sensor error. */
  readonly temperatureC: number
  readonly humidityPercent: number
  /** Resistance of the trans-impedance amplifier in use. */
  readonly tiaOhm: number
  /** Pairs waiting after the last push; stale while stopped. */
  readonly adcQueued: number
  /** Points left after the last pop; −1 when the queue was empty; stale while stopped. */
  readonly dacQueued: number
  /** Moving average of the control period in ticks. */
  readonly sampleTicks: number
  /** `StateBit`s. */
  readonly state: number
}

/** Live values from the first 24 registers of the group. */
export const decodeLiveValues = (registers: Uint16Array): LiveValues => ({
  currentA: decodeFloat(registers, 0),
  potentialV: decodeFloat(registers, 2),
  potentialDacV: decodeFloat(registers, 4),
  tiaReferenceV: decodeFloat(registers, 6),
  midSupplyV: decodeFloat(registers, 8),
  temperatureC: decodeFloat(registers, 10),
  humidityPercent: decodeFloat(registers, 12),
  tiaOhm: decodeFloat(registers, 14),
  adcQueued: decodeInt32(registers, 16),
  dacQueued: decodeInt32(registers, 18),
  sampleTicks: decodeUint32(registers, 20),
  state: decodeUint32(registers, 22),
})

/** Half the range of every scale: the pins span 0 … 3.3 V around 1.65 V with gain 3. */
export const POTENTIAL_LIMIT_V = 4.95

/** Feedback resistors of the amplifier by `tia_gain`, each with 10 MΩ in parallel. Indices 4 and 5 are accepted and act as 3; above 5
 * the command is refused. */
export const tiaOhms = [999.900009, 9990.00999, 99009.90099, 909090.9091] as const
export const MAX_TIA_GAIN_INDEX = 5
/** Gain index after a reset. */
export const BOOT_TIA_GAIN = 2

/** Resistance in Ω that the device uses for a gain index 0–5. */
export const tiaOhm = (gain: number): number => tiaOhms[Math.min(gain, 3)] ?? tiaOhms[3]

/** Largest current in A that a resistance of the amplifier can measure; beyond it readings stick. */
export const fullScaleCurrentA = (ohm: number): number => POTENTIAL_LIMIT_V / ohm

/** Largest counts of the DACs and of the measuring ADCs. */
export const DAC_MAX_COUNT = 4095
export const ADC_MAX_COUNT = 65535
const SUPPLY_V = 3.3

/** Potential of one step of the measuring ADC: 151 µV; divided by the amplifier's resistance, the step of the current. */
export const ADC_STEP_V = (3 * SUPPLY_V) / ADC_MAX_COUNT

/** Potential in V that stands behind a voltage at the potential DAC's pin: 0 V is 1.65 V there, the slope −1/3. */
export const dacPotentialV = (pinV: number): number => 3 * (1.65 - pinV)

/** Nearest level in V of a converter that spans 0 to 3.3 V in `maxCount` steps; half-way goes to the even count. */
export function converterLevelV(volts: number, maxCount: number): number {
  const count = roundHalfEven((volts * maxCount) / SUPPLY_V)
  return (Math.min(maxCount, Math.max(0, count)) * SUPPLY_V) / maxCount
}

/** USB ids of the BEEP potentiostat: 2022 and 22099 there, written as decimals. */
export const POTENTIOSTAT_USB = { vendorId: '07e6', productId: '5653' } as const

/** The serial ports that are potentiostats. CDC ACM ignores the rate; pyBEEP opens with it. */
export const POTENTIOSTAT_PORTS = { usb: [POTENTIOSTAT_USB], baudRate: 1_500_000 } as const

/** USB serial number of a chip by its 96-bit unique id: 12 upper-case hex digits. */
export function usbSerialNumber([u0, u1, u2]: readonly [number, number, number]): string {
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')
  return hex((u0 + u2) >>> 0, 8) + hex(u1 >>> 16, 4)
}

import { defineError } from '../../events/core/errors.js'

/** What drivers see of the computer and what is wired to it. `linux-hardware.ts` implements it with the kernel's interfaces, the simulated bench behind
 * the same transports; no driver learns which one it has. */

/** Nothing acknowledged. */
export const NoDevice = defineError('hardware.no_device', 'hardware', 'No device acknowledged.')

/** A pin that cannot be driven by PWM, or not any more. */
export const NoPwm = defineError('hardware.no_pwm', 'hardware', 'The system offers no PWM on the pin.')

/** A pin has one user at a time, on the whole machine. */
export const PinInUse = defineError('hardware.pin_in_use', 'state', 'Somebody uses the PWM output.')

export interface I2cBus {
  /** One combined transaction: write, repeated START, read. @throws NoDevice when nothing acknowledges. */
  writeRead(address: number, bytes: Uint8Array, readLength: number): Promise<Uint8Array>
  /** One write transaction. @throws NoDevice */
  write(address: number, bytes: Uint8Array): Promise<void>
  /** Whether a zero-length write is acknowledged. */
  isPresent(address: number): Promise<boolean>
}

/** One PWM output. Frequency in Hz, duty cycle in percent 0–100. */
export interface PwmOutput {
  readonly pin: number
  setDutyCycle(percent: number): Promise<void>
  /** Duty 0 and disabled; the output stays exported. */
  close(): Promise<void>
}

/** What the kernel drives on a pin at this moment. */
export interface PwmState {
  readonly pin: number
  /** Name of the controller or chip behind it. */
  readonly chip: string
  /** Effective duty cycle in percent, 0 while disabled. */
  readonly dutyCycle: number
}

export interface PwmOutputs {
  /** Claims a pin (BCM number) at duty 0 until it is closed or this process ends. @throws NoPwm; InvalidInput for a frequency that the pin cannot have;
   * PinInUse while anybody on the machine has it. */
  open(pin: number, hz: number): Promise<PwmOutput>
  /** Every pin that has PWM, claimed or not, and what it is driven at. */
  list(): Promise<readonly PwmState[]>
  /** Duty 0 and disabled, even where another user has claimed the pin. */
  off(pin: number): Promise<void>
  /** Duty 0 and disabled on every output the kernel offers, those of other programs too. What is open here is closed: nobody switches it on again
   * without claiming it. */
  allOff(): Promise<void>
}

/** A line driven as output, low from the start. */
export interface GpioOutput {
  readonly pin: number
  set(high: boolean): Promise<void>
  /** Low, and free for others. */
  close(): Promise<void>
}

/** Lines of the 40-pin header by BCM number. Times are in seconds, monotonic, of arbitrary origin. */
export interface Gpio {
  /** Reports falling edges of an input with its pull-up on, until the returned function is called. @throws LabError when the line cannot be used. */
  watchFalling(pin: number, onEdge: (timeS: number) => void): Promise<() => Promise<void>>
  /** Reports every level that an input with its pull-down on takes on, bouncing included, until the returned function is called.
   * @throws LabError when the line cannot be used. */
  watchLevel(pin: number, onLevel: (high: boolean, timeS: number) => void): Promise<() => Promise<void>>
  /** @throws LabError when the line cannot be used. */
  openOutput(pin: number): Promise<GpioOutput>
  /** Who uses the line; empty when it is free, null when there is no such line. @throws LabError when the system offers no GPIO. */
  consumerOf(pin: number): Promise<string | null>
}

/** Vendor and product of a USB device as the kernel writes them: four lower-case hex digits each. */
export interface UsbId {
  readonly vendorId: string
  readonly productId: string
}

/** A serial port that is there. */
export interface SerialDevice {
  /** Device path to open. */
  readonly path: string
  /** Null for a port that is none of USB. */
  readonly usb: UsbId | null
  readonly serialNumber: string | null
}

export interface SerialConnection {
  readonly open: boolean
  write(bytes: Uint8Array): Promise<void>
  /** One listener; called with whatever arrived. */
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called once when the device went away or the connection was closed. */
  onClose(listener: (error: Error | null) => void): void
  close(): Promise<void>
}

/** The serial ports of the machine. Instruments see theirs only, as `claimPorts` gives them. */
export interface SerialPorts {
  list(): Promise<readonly SerialDevice[]>
  /** @param baudRate in bits per second. @throws NoDevice when the port cannot be opened. */
  open(path: string, baudRate: number): Promise<SerialConnection>
}

/** What is wired to the computer's pins. */
export interface BoardHardware {
  readonly i2c: I2cBus
  readonly pwm: PwmOutputs
  readonly gpio: Gpio
  /** Shuts the computer down. Absent where there is none of our own. @throws LabError when it refuses */
  powerOff?(): Promise<void>
  /** Version of the HAT that identifies itself, such as `1.2`; null or absent when there is none. */
  readonly hatVersion?: string | null
  /** Of the HAT. */
  readonly hatSerialNumber?: string
  /** Model of the computer, where it tells it. */
  readonly computer?: string
  /** Whether the computer's own supply is, or has been, too low; null where it cannot tell. */
  underVoltage?(): Promise<boolean | null>
  /** The vessel, where the hardware knows it. */
  readonly model?: { readonly modelName: string; readonly modelVersion: string }
}

export interface Hardware extends BoardHardware {
  readonly serial: SerialPorts
  close(): Promise<void>
}

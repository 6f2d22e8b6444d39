/** Kernel PWM times of a frequency (Hz) and duty cycle (%), in whole ns. The duty comes from the period before truncation. */
export function pwmTimes(hz: number, percent: number): { readonly periodNs: number; readonly dutyNs: number } {
  const periodNs = 1e9 / hz
  return { periodNs: Math.trunc(periodNs), dutyNs: Math.trunc((periodNs * percent) / 100) }
}

/** Duty cycle in % of kernel PWM times. */
export const dutyPercent = (periodNs: number, dutyNs: number): number => (periodNs > 0 ? (100 * dutyNs) / periodNs : 0)

/** The number in the first line of a sysfs file; null when it is empty. What follows is left over from a longer number. */
export function decodeAttribute(text: string): number | null {
  const [line = ''] = text.trim().split('\n')
  return line === '' || Number.isNaN(Number(line)) ? null : Number(line)
}

/** Pin of a `pwm-gpio` chip: the second big-endian 32-bit cell of its device-tree property `gpios`; null when it has none. */
export const decodeGpiosCell = (cells: Uint8Array): number | null =>
  cells.length < 8 ? null : new DataView(cells.buffer, cells.byteOffset, cells.length).getUint32(4)

export function encodeGpiosCell(pin: number): Uint8Array {
  const cells = new Uint8Array(12)
  new DataView(cells.buffer).setUint32(4, pin)
  return cells
}

/** Device names of the controllers that serve GPIO 12 and 13 (overlay `pwm-2chan`): Pi 5, Pi 4, Pi 2–3 and Zero 2, Pi 1 and Zero. */
export const PWM_CONTROLLERS: readonly string[] = ['1f00098000.pwm', 'fe20c000.pwm', '3f20c000.pwm', '2020c000.pwm']

/** Line of the boot configuration that gives a pin its PWM. */
export const overlayFor = (pin: number): string =>
  pin in CONTROLLER_CHANNELS ? 'dtoverlay=pwm-2chan,pin=12,func=4,pin2=13,func2=4' : `dtoverlay=pwm-gpio,gpio=${pin}`

/** Frequencies in Hz that a pin can have. Below 0.1 Hz the 32-bit counters of some controllers overflow. Above, a controller clocked at 10 MHz has less than
 * 1 % resolution; `pwm-gpio` switches pins in software, and Pioreactor's library does so up to 10 kHz. */
export const pwmRange = (pin: number): { readonly minHz: number; readonly maxHz: number } => ({
  minHz: 0.1,
  maxHz: pin in CONTROLLER_CHANNELS ? 100_000 : 10_000,
})

/** Channel of that controller by pin. */
export const CONTROLLER_CHANNELS: Readonly<Record<number, number>> = { 12: 0, 13: 1 }

import type { ProfileTables } from './hardware-tables.js'

type Chip = 'ads1114' | 'ads1115' | 'pico' | 'dac43608' | 'tmp1075'

/** A chip that a board should have on its I2C bus. */
export interface BoardDevice {
  readonly address: number
  readonly chip: Chip
  /** What it is there for, by the keys of the wiring: `pd1`, `aux`, `dac`, `temp`. */
  readonly uses: readonly string[]
}

/** HAT 1.0 and older have a DAC43608 for their LEDs, later ones the co-processor. */
export function ledChip(hat: string): 'dac43608' | 'pico' {
  const [major = 0, minor = 0] = hat.split('.').map(Number)
  return major < 1 || (major === 1 && minor === 0) ? 'dac43608' : 'pico'
}

/** The chips a board should have, by address; two of different kinds at one address are two entries. */
export function devicesOf(hat: string, { adc, dac, temp }: ProfileTables): readonly BoardDevice[] {
  const uses: readonly (readonly [use: string, chip: Chip, address: number])[] = [
    ...Object.entries(adc).map(([name, { driver, address }]) => [name, driver, address] as const),
    ['dac', ledChip(hat), dac.address],
    ['temp', 'tmp1075', temp.address],
  ]
  const devices = new Map<string, { address: number; chip: Chip; uses: string[] }>()
  for (const [use, chip, address] of uses) {
    const key = `${address} ${chip}`
    const device = devices.get(key) ?? { address, chip, uses: [] }
    device.uses.push(use)
    devices.set(key, device)
  }
  return [...devices.values()].sort((a, b) => a.address - b.address)
}

/** Functions by pin. */
export function pinUses({ pwm, gpio }: ProfileTables): ReadonlyMap<number, readonly string[]> {
  const uses = new Map<number, string[]>()
  const add = (pin: number, use: string): void => void uses.set(pin, [...(uses.get(pin) ?? []), use])
  for (const [channel, pin] of Object.entries(pwm.pwm_to_pin)) add(pin, `PWM channel ${channel}`)
  for (const [use, pin] of Object.entries(gpio)) add(pin, use)
  return uses
}

export const hexAddress = (address: number): string => `0x${address.toString(16).toUpperCase().padStart(2, '0')}`

/** What cannot be true of one board: two chips at an address, two functions of a pin. One sentence each. */
export function contradictions(hat: string, tables: ProfileTables): readonly string[] {
  const devices = devicesOf(hat, tables)
  const shared = devices.filter(({ address }, index) => devices[index - 1]?.address === address)
  return [
    ...shared.map(({ address }) => {
      const both = devices.filter((device) => device.address === address)
      const named = both.map(({ chip, uses }) => `${chip} (${uses.join(', ')})`).join(' and ')
      return `${hexAddress(address)} is the address of ${named}; one chip answers at an address.`
    }),
    ...Object.entries(tables.adc)
      .filter(([, { driver, channel }]) => driver === 'ads1114' && channel !== 0)
      .map(([name, { channel }]) => `${name}: channel is ${channel}; an ads1114 has channel 0 only.`),
    ...[...pinUses(tables)]
      .filter(([, uses]) => uses.length > 1)
      .map(([pin, uses]) => `GPIO ${pin} is named for ${uses.join(' and ')}; a pin has one function.`),
  ]
}

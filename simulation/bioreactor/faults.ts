import { InvalidInput } from '../../events/core/errors.js'

/** What can be wrong with a virtual bioreactor, on request. */

interface FaultKind {
  /** Where it can be, by the name to give; none where there is one place only. */
  readonly where: readonly string[]
  readonly doc: string
}

/** Chips by what they do; any other by its address, such as `0x4f`. */
const CHIP_NAMES = ['pd1', 'pd2', 'pd3', 'pd4', 'aux', 'leds', 'heater_board', 'infrared'] as const
const SENSORS = ['pd1', 'pd2', 'pd3', 'pd4', 'heater_board', 'infrared'] as const
const PUMPS = ['media', 'alt_media', 'waste'] as const

const faultKinds = {
  unplugged: { where: CHIP_NAMES, doc: 'the chip does not acknowledge its address' },
  i2c_error: {
    where: CHIP_NAMES,
    doc: 'every transaction with the chip fails in its middle, half of what is written having arrived',
  },
  stuck: { where: SENSORS, doc: 'the sensor goes on giving its next value' },
  noisy: { where: SENSORS, doc: 'the sensor has thirty times its noise' },
  led_burnt_out: { where: ['A', 'B', 'C', 'D'], doc: 'the LED gives no light, whatever drives it' },
  ambient_light: { where: [], doc: 'the cap is off: light of the room reaches the photodiodes' },
  photodiodes_swapped: { where: [], doc: 'the reference and the photodiode at 90° are plugged in the wrong way round' },
  stirrer_stalled: { where: [], doc: 'something holds the bar' },
  pump_blocked: { where: PUMPS, doc: 'the pump does not turn' },
  tube_out: {
    where: PUMPS,
    doc: 'the tube has fallen out: media and alt_media draw air, waste leaves the liquid where it is',
  },
} as const satisfies Readonly<Record<string, FaultKind>>

type FaultName = keyof typeof faultKinds

export interface Fault {
  readonly name: FaultName
  /** Empty where there is one place only. */
  readonly where: string
}

const ADDRESS = /^0x[0-7][0-9a-f]$/
const isFaultName = (name: string): name is FaultName => Object.hasOwn(faultKinds, name)
const takesAddress = (name: FaultName): boolean => name === 'unplugged' || name === 'i2c_error'

/** A fault as it is written: its name, then where. @throws InvalidInput */
export function parseFault([name = '', where = '', ...rest]: readonly string[]): Fault {
  if (!isFaultName(name)) {
    throw new InvalidInput(`fault is '${name}'; it must be one of ${Object.keys(faultKinds).join(', ')}.`)
  }
  if (rest.length > 0) throw new InvalidInput(`fault ${name}: '${rest.join(' ')}' is more than one place.`)
  const places: readonly string[] = faultKinds[name].where
  const known = places.length === 0 ? where === '' : places.includes(where)
  if (known || (takesAddress(name) && ADDRESS.test(where))) return { name, where }
  const address = takesAddress(name) ? ' or an address such as 0x4f' : ''
  throw new InvalidInput(
    places.length === 0
      ? `fault ${name} takes no place, not '${where}'.`
      : `fault ${name} is at '${where}'; it must be one of ${places.join(', ')}${address}.`,
  )
}

const WIDTH = Math.max(...Object.keys(faultKinds).map((name) => name.length))

/** One line per fault, for the help of the command line. */
export const faultUsage = Object.entries(faultKinds)
  .map(([name, { where, doc }]) => {
    const places = [...where, ...(isFaultName(name) && takesAddress(name) ? ['0x..'] : [])]
    return `  ${name.padEnd(WIDTH)}  ${doc}${places.length === 0 ? '' : ` (${places.join(', ')})`}`
  })
  .join('\n')

const keyOf = ({ name, where }: Fault): string => `${name} ${where}`.trim()

/** The faults there are now. */
export class FaultSet {
  readonly #faults = new Map<string, Fault>()

  set(fault: Fault): void {
    this.#faults.set(keyOf(fault), fault)
  }

  clear(fault: Fault): void {
    this.#faults.delete(keyOf(fault))
  }

  clearAll(): void {
    this.#faults.clear()
  }

  has(name: FaultName, where = ''): boolean {
    return this.#faults.size > 0 && this.#faults.has(keyOf({ name, where }))
  }

  /** As they are written. */
  get list(): readonly string[] {
    return [...this.#faults.keys()]
  }
}

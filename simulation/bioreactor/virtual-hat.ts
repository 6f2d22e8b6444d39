import type { Clock } from '../../events/ports.js'
import type { LedChannel } from '../../services/bioreactor/board/board.js'
import type { ProfileTables } from '../../services/bioreactor/board/hardware-tables.js'
import { MLX90632_ADDRESS } from '../../services/bioreactor/chips/mlx90632.codec.js'
import { auxVolts } from '../../services/bioreactor/chips/rail-voltage.codec.js'
import { createVirtualAds111x } from './chips/virtual-ads111x.js'
import type { AnalogInput, VirtualChip } from './chips/virtual-chip.js'
import { createVirtualDac43608 } from './chips/virtual-dac43608.js'
import { createVirtualMlx90632 } from './chips/virtual-mlx90632.js'
import { createVirtualPico } from './chips/virtual-pico.js'
import { createVirtualTmp1075 } from './chips/virtual-tmp1075.js'
import type { PhysicalVial } from './physical-vial.js'

/** What the chips sense and drive. */
export interface HatSurroundings {
  readonly vial: PhysicalVial
  /** Whether the infrared thermometer, an add-on, looks at the vial. */
  readonly infrared: boolean
  /** What the board drives by itself. @param level 8-bit value; @param light Share of full light, 0–1. */
  setLed(channel: LedChannel, level: number, light: number): void
}

const RAIL_V = 5

/** Volts at an input of the wiring: `pd1`–`pd4`, `aux`; nothing is connected to others. */
const analogVolts = (name: string, vial: PhysicalVial): number =>
  name.startsWith('pd') ? vial.photodiodeVolts(name) : name === 'aux' ? auxVolts(RAIL_V) : 0

/** The chips of a board and vessel by I2C address. */
export function createVirtualHat(
  clock: Clock,
  wiring: ProfileTables,
  { vial, infrared, setLed }: HatSurroundings,
): ReadonlyMap<number, VirtualChip> {
  const chips = new Map<number, VirtualChip>([[wiring.temp.address, createVirtualTmp1075(() => vial.heaterBoardC())]])
  if (infrared) {
    const thermometer = createVirtualMlx90632(
      clock,
      () => vial.wallC(),
      () => vial.roomC(),
    )
    chips.set(MLX90632_ADDRESS, thermometer)
  }
  const entries = Object.entries(wiring.adc)
  for (const { driver, address } of Object.values(wiring.adc)) {
    const inputs = new Map<number, AnalogInput>(
      entries
        .filter(([, input]) => input.address === address)
        .map(([name, input]) => [input.channel, () => analogVolts(name, vial)]),
    )
    if (chips.has(address)) continue
    chips.set(
      address,
      driver === 'pico' ? createVirtualPico(clock, inputs, setLed) : createVirtualAds111x(clock, inputs),
    )
  }
  if (!chips.has(wiring.dac.address)) chips.set(wiring.dac.address, createVirtualDac43608(setLed))
  return chips
}

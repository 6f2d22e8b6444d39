import type { LedChannel } from '../../../services/bioreactor/board/board.js'
import { LED_CHANNELS } from '../../../services/bioreactor/board/board.js'
import { CONFIG_COMMAND, decodeLevel, isPoweredDown } from '../../../services/bioreactor/chips/dac43608.codec.js'
import { clockOut, type VirtualChip } from './virtual-chip.js'

/** The configuration's "power down all" bit and the eight channels' own. */
const ALL_DOWN = 0x100
const CHANNELS_DOWN = 0xff

/** The DAC43608 of HAT 1.0, all channels powered down until told otherwise. */
export function createVirtualDac43608(
  setLed: (channel: LedChannel, level: number, light: number) => void,
): VirtualChip {
  let command = CONFIG_COMMAND
  let config = CHANNELS_DOWN
  const levels = new Map<LedChannel, number>()

  const drive = (): void => {
    for (const channel of LED_CHANNELS) {
      const down = (config & ALL_DOWN) !== 0 || isPoweredDown(config, channel)
      const level = down ? 0 : (levels.get(channel) ?? 0)
      setLed(channel, level, level / 255)
    }
  }

  return {
    write(bytes) {
      command = bytes[0] ?? command
      if (command === CONFIG_COMMAND && bytes.length >= 3) config = (((bytes[1] ?? 0) & 1) << 8) | (bytes[2] ?? 0)
      const written = decodeLevel(bytes)
      if (written !== null) levels.set(written.channel, written.value)
      if (bytes.length >= 3) drive()
    },
    read: (length) =>
      clockOut(command === CONFIG_COMMAND ? Uint8Array.of(config >> 8, config & 0xff) : new Uint8Array(2), length),
  }
}

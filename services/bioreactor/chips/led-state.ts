import { InvalidInput } from '../../../events/core/errors.js'
import type { LedChannel, LedOutputs } from '../board/board.js'
import { LED_CHANNELS } from '../board/board.js'

/** LED outputs over a chip: refuses what is out of range and remembers what was written.
 * @param write Brings one channel to 0–100 %. */
export function createLedState(write: (channel: LedChannel, percent: number) => Promise<void>): LedOutputs {
  const state = { A: 0, B: 0, C: 0, D: 0 }
  return {
    state,
    async set(channel, percent) {
      if (!LED_CHANNELS.includes(channel)) {
        throw new InvalidInput(`LED channel '${channel}': must be one of ${LED_CHANNELS.join(', ')}.`)
      }
      if (!(percent >= 0 && percent <= 100)) {
        throw new InvalidInput(`intensity of LED ${channel} is ${percent} %; it must lie in 0–100 %.`)
      }
      await write(channel, percent)
      state[channel] = percent
    },
  }
}

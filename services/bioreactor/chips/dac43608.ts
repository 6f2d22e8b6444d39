import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { I2cBus } from '../../transport/hardware.js'
import type { LedOutputs } from '../board/board.js'
import { CONFIG_COMMAND, decodePowerDown, encodeLevel, encodePowerDown, withPower } from './dac43608.codec.js'
import { createLedState } from './led-state.js'

/** The LED drivers of HAT 1.0. 0 % powers the channel down and leaves its level alone; anything else powers it up first.
 * The power bits of all channels share a register, so changes take turns. */
export function createDac43608Leds(i2c: I2cBus, address: number): LedOutputs {
  const serially = createSerialQueue()
  return createLedState((channel, percent) =>
    serially(async () => {
      const powerDown = decodePowerDown(await i2c.writeRead(address, Uint8Array.of(CONFIG_COMMAND), 2))
      await i2c.write(address, encodePowerDown(withPower(powerDown, channel, percent > 0)))
      if (percent > 0) await i2c.write(address, encodeLevel(channel, percent))
    }),
  )
}

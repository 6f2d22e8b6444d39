import type { I2cBus } from '../../transport/hardware.js'
import { decodeTemperatureC, TEMPERATURE_POINTER } from './tmp1075.codec.js'

/** Temperature of the heater board in °C. @throws NoDevice */
export async function readTemperatureC(i2c: I2cBus, address: number): Promise<number> {
  return decodeTemperatureC(await i2c.writeRead(address, Uint8Array.of(TEMPERATURE_POINTER), 2))
}

import { retry } from '../../../primitives/retry.js'
import type { SafeContext } from '../../runtime/safe-state.js'
import { type BoardHardware, type I2cBus, NoDevice } from '../../transport/hardware.js'
import { DAC43608_ADDRESS, POWER_DOWN_ALL } from '../chips/dac43608.codec.js'
import { encodeLed, PICO_ADDRESS } from '../chips/pico.codec.js'
import { LED_CHANNELS } from './board.js'

/** A chip that is busy or disturbed answers the next try. */
const LED_TRIES = { attempts: 3, pauseMs: 20 }

/** Stirrer, pumps and heater off (step `pwm`), LEDs off (step `leds`). */
export async function makeBoardSafe({ hardware, step }: SafeContext): Promise<void> {
  await Promise.all([step('pwm', () => hardware.pwm.allOff()), step('leds', () => switchLedsOff(hardware))])
}

const ledOff = (work: () => Promise<void>): Promise<void> => retry(LED_TRIES, work)
const picoOff = (i2c: I2cBus): Promise<void>[] =>
  LED_CHANNELS.map((channel) => ledOff(() => i2c.write(PICO_ADDRESS, encodeLed(channel, 0))))
const dacOff = (i2c: I2cBus): Promise<void>[] => [ledOff(() => i2c.write(DAC43608_ADDRESS, POWER_DOWN_ALL))]

/** A HAT that does not tell its version is asked by address. The co-processor first: the DAC's address may be a converter's there. */
async function switchLedsOff({ i2c, hatVersion }: BoardHardware): Promise<void> {
  if (hatVersion === '1.0') return all(dacOff(i2c))
  const pico = await Promise.allSettled(picoOff(i2c))
  const refusals = pico.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (refusals.length === 0) return
  if (hatVersion != null || refusals.length < pico.length) throw refusals[0]
  // Nothing is where the co-processor would be; without a DAC either there is no HAT, and nothing to switch off.
  await all(dacOff(i2c)).catch(ignoreAbsence)
}

const ignoreAbsence = (error: unknown): void => {
  if (!(error instanceof NoDevice)) throw error
}

/** Waits for all of them before it throws the first error. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import type { I2cBus } from '../../transport/hardware.js'
import {
  ambientC,
  COMMAND,
  CONTROL,
  constantRegisters,
  cyclePosition,
  decodeConstants,
  decodeResults,
  decodeWord,
  encodePointer,
  encodeWrite,
  hasNewData,
  isProductCode,
  noHistory,
  objectTemperature,
  PRODUCT_CODE,
  RESET,
  RESULT_REGISTERS,
  STATUS,
  withContinuousMedical,
  withoutNewData,
} from './mlx90632.codec.js'

const NotProgrammed = defineError(
  'infrared.not_programmed',
  'hardware',
  'What answers at the address of the infrared thermometer has no product code.',
)

/** The sensor needs 0.15 ms after a reset. */
const RESET_MS = 1

export interface InfraredThermometer {
  /** Temperatures of the surface in view and of the sensor itself, °C; null while there is no new sample, or none that can be used.
   * @throws NoDevice */
  read(): Promise<{ readonly objectC: number; readonly sensorC: number } | null>
}

/** Starts the continuous measurements of an MLX90632. Its refresh rate stays as the factory set it, 2 Hz: it lies in the EEPROM, which only an unlock
 * command would let us write. @throws NoDevice; NotProgrammed */
export async function openMlx90632(i2c: I2cBus, clock: Clock, address: number): Promise<InfraredThermometer> {
  const read = async (register: number): Promise<number> =>
    decodeWord(await i2c.writeRead(address, encodePointer(register), 2))
  const write = (register: number, word: number): Promise<void> => i2c.write(address, encodeWrite(register, word))

  const code = await read(PRODUCT_CODE)
  if (!isProductCode(code)) {
    const text = code.toString(16).padStart(4, '0')
    throw new NotProgrammed(`The infrared thermometer at 0x${address.toString(16)} has the product code 0x${text}.`)
  }
  const words = new Map<number, number>()
  for (const register of constantRegisters) words.set(register, await read(register))
  const constants = decodeConstants(words)
  await write(COMMAND, RESET)
  await clock.sleepUntil(clock.monotonicMs() + RESET_MS)
  await write(CONTROL, withContinuousMedical(await read(CONTROL)))
  await write(STATUS, withoutNewData(await read(STATUS)))

  let history = noHistory
  return {
    async read() {
      const status = await read(STATUS)
      if (!hasNewData(status)) return null
      const words: number[] = []
      for (const register of RESULT_REGISTERS) words.push(await read(register))
      await write(STATUS, withoutNewData(status))
      const results = decodeResults(words)
      const seen = objectTemperature(constants, cyclePosition(status), results, history)
      const sensorC = ambientC(constants, results)
      if (!Number.isFinite(seen.objectC) || !Number.isFinite(sensorC)) return null
      history = seen
      return { objectC: seen.objectC, sensorC }
    },
  }
}

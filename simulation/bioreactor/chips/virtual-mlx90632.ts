import type { Clock } from '../../../events/ports.js'
import {
  COMMAND,
  CONTROL,
  decodeConstants,
  encodeConstants,
  encodeResults,
  encodeStatus,
  hasNewData,
  PRODUCT_CODE,
  RESET,
  RESULT_REGISTERS,
  STATUS,
} from '../../../services/bioreactor/chips/mlx90632.codec.js'
import { clockOut, type VirtualChip } from './virtual-chip.js'

/** Constants of a sensor of ours. */
const REGISTERS = encodeConstants({
  P_R: 0x00587f5b,
  P_G: 0x04a10289,
  P_T: -432392,
  P_O: 0x00001e0f,
  Ea: 4859535,
  Eb: 5686508,
  Fa: 53855361,
  Fb: 42874149,
  Ga: -14556410,
  Gb: 9728,
  Ka: 10752,
  Ha: 16384,
  Hb: 0,
})
const CONSTANTS = decodeConstants(REGISTERS)
const PRODUCT = 0x0001

/** The factory's refresh rate is 2 Hz. */
const SAMPLE_MS = 500

/** Bits 2:1 of the control word: 3 measures continuously. */
const isContinuous = (control: number): boolean => ((control >> 1) & 3) === 3

/** The MLX90632 beside the vial. @param objectC temperature of what it sees; @param sensorC its own. */
export function createVirtualMlx90632(clock: Clock, objectC: () => number, sensorC: () => number): VirtualChip {
  let pointer = 0
  let control = 0
  let startedMs = clock.monotonicMs()
  let finished = 0
  let newData = false
  let results: readonly number[] = RESULT_REGISTERS.map(() => 0)

  const update = (): void => {
    if (!isContinuous(control)) return
    const samples = Math.floor((clock.monotonicMs() - startedMs) / SAMPLE_MS)
    if (samples <= finished) return
    finished = samples
    newData = true
    results = encodeResults(CONSTANTS, objectC(), sensorC())
  }
  const restart = (): void => {
    startedMs = clock.monotonicMs()
    finished = 0
    newData = false
  }
  const register = (): number => {
    if (pointer === PRODUCT_CODE) return PRODUCT
    if (pointer === CONTROL) return control
    // The two halves of a measurement take turns.
    if (pointer === STATUS) return encodeStatus(2 - (finished % 2), newData)
    const result = RESULT_REGISTERS.indexOf(pointer)
    return result >= 0 ? (results[result] ?? 0) : (REGISTERS.get(pointer) ?? 0)
  }

  return {
    write([high, low, ...data]) {
      if (high === undefined || low === undefined) return
      pointer = (high << 8) | low
      update()
      if (data.length < 2) return
      const word = ((data[0] ?? 0) << 8) | (data[1] ?? 0)
      if (pointer === COMMAND && word === RESET) {
        control = 0
        restart()
      } else if (pointer === CONTROL) {
        if (!isContinuous(control) && isContinuous(word)) restart()
        control = word
      } else if (pointer === STATUS) newData &&= hasNewData(word)
    },
    read(length) {
      update()
      const word = register()
      return clockOut(Uint8Array.of((word >> 8) & 0xff, word & 0xff), length)
    },
  }
}
